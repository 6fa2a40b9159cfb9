"""From `package.module:app` on the command line to a callable, and clear words where there is none.

Imports what it is told and checks that it can be called as PEP 3333 says; never evaluates code from a specification (a
factory's arguments are literals). Knows nothing of mounting beyond `/prefix=spec`: wsgiraw.wsgi.mount dispatches.
"""

import ast
import difflib
import importlib
import inspect
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, NoReturn
from wsgiref.types import WSGIApplication

from wsgiraw.errors import ApplicationNotFound, ConfigError

__all__ = ["checked_prefix", "import_application", "load", "parse_specs", "set_import_path"]

_APPLICATION_NAMES = ("application", "app")
_FACTORY_NAMES = ("create_app", "make_app")


class _Target(NamedTuple):
    """What stands after the colon: dotted names, and the literal arguments if it is called."""

    names: tuple[str, ...]
    called: bool = False
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}  # noqa: RUF012 - never changed


def set_import_path(chdir: str = ".", pythonpath: Iterable[str] = ()) -> None:
    """Change to a directory and import from there first, then from `pythonpath`. Raises ConfigError."""
    try:
        os.chdir(chdir)
    except OSError as error:
        raise ConfigError(f"chdir {chdir!r}: {error.strerror}: give an existing directory") from None
    first = [str(Path.cwd())]
    for directory in pythonpath:
        if not Path(directory).is_dir():
            raise ConfigError(f"pythonpath {directory!r}: no such directory: give existing ones, separated by commas")
        first.append(str(Path(directory).resolve()))
    sys.path[:] = [*dict.fromkeys(first), *(path for path in sys.path if path not in first)]
    importlib.invalidate_caches()


def parse_specs(specs: Sequence[str]) -> dict[str, str]:
    """The specification for each prefix (`/` for the root), or for "" if one application is all. Raises ConfigError."""
    mounts: dict[str, str] = {}
    for text in specs:
        # An equals sign inside a factory's arguments is not ours.
        before, equals, _ = text.partition("(")[0].partition("=")
        prefix, spec = (before, text[len(before) + 1 :]) if equals else ("", text)
        if equals:
            prefix = checked_prefix(prefix, text)
        if not spec.strip():
            raise ConfigError(f"{text!r} names no application: write {prefix}=package.module:app")
        if prefix in mounts and prefix:
            raise ConfigError(f"prefix {prefix!r} is given twice: {mounts[prefix]!r} and {spec!r}")
        if mounts and ("" in mounts or not prefix):
            bare = mounts.get("", spec)
            raise ConfigError(f"{bare!r} has no prefix: with several applications write /={bare} or /prefix={bare}")
        mounts[prefix] = spec
    if not mounts:
        raise ConfigError("no application: write package.module:app")
    return mounts


def checked_prefix(prefix: str, text: str) -> str:
    if not prefix.startswith("/"):
        raise ConfigError(f"{text!r}: a mount prefix begins with a slash: did you mean '/{text}'?")
    if prefix != "/" and prefix.endswith("/"):
        prefix = prefix[:-1]
    if "//" in prefix or any(character in "?#%" or character <= " " for character in prefix):
        raise ConfigError(f"{text!r}: a mount prefix is a plain path such as /shop: no //, ?, #, % or white space")
    return prefix


def load(specs: Sequence[str], factory: bool = False) -> dict[str, WSGIApplication]:
    """The application for each prefix of `parse_specs`. Raises ConfigError and ApplicationNotFound."""
    return {prefix: import_application(spec, factory) for prefix, spec in parse_specs(specs).items()}


def import_application(spec: str, factory: bool = False) -> WSGIApplication:
    """What `spec` names, called first if it is a factory.

    Raises ApplicationNotFound. Where the fault is in the application's own code, its traceback is a note (PEP 678).
    """
    name, colon, text = (part.strip() for part in spec.partition(":"))
    _refuse_path(spec, name, text)
    if not all(name.split(".")) or any(character.isspace() for character in name):
        raise ApplicationNotFound(f"{spec!r} names no module: write package.module:app")
    target = _parse_target(spec, text) if colon else None
    module = _import_module(spec, name)
    if target is None:
        target = _Target((_default_name(spec, module, _FACTORY_NAMES if factory else _APPLICATION_NAMES),))
    found = _attribute(spec, module, target.names)
    where = f"{name}:{'.'.join(target.names)}"
    if target.called or factory:
        found = _call_factory(spec, where, found, target)
        where += "()"
    _refuse_misfit(where, found, called=target.called or factory)
    application: WSGIApplication = found
    return application


def _refuse_path(spec: str, name: str, text: str) -> None:
    path = PurePath(name)
    if path.suffix != ".py" and len(path.parts) < 2:
        return
    suffix = f":{text}" if text else ""
    if path.is_absolute() or ".." in path.parts:
        better = f"--chdir {path.parent} {path.stem}{suffix}"
    else:
        better = ".".join(path.with_suffix("").parts) + suffix
    raise ApplicationNotFound(f"{spec!r} is a path, and modules have dotted names: write {better}")


def _parse_target(spec: str, text: str) -> _Target:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        node = ast.Constant(None)
    call = node if isinstance(node, ast.Call) else None
    names: list[str] = []
    inner = call.func if call else node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        raise ApplicationNotFound(
            f"{spec!r}: after the colon stands a name, dotted or called: module:app, module:site.app, module:create()"
        )
    names.append(inner.id)
    names.reverse()
    if call is None:
        return _Target(tuple(names))
    try:
        arguments = tuple(ast.literal_eval(argument) for argument in call.args)
        keywords = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except (ValueError, TypeError):  # TypeError: a list as a key of a dict
        arguments, keywords = (), {}
    if len(arguments) != len(call.args) or len(keywords) != len(call.keywords):
        raise ApplicationNotFound(f"{spec!r}: arguments are literals: text, numbers, True, None, lists, dicts")
    return _Target(tuple(names), True, arguments, keywords)


def _import_module(spec: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Without a frame of somebody else's, it is `name` or a package around it that does not exist.
        if _foreign_frames(error) is None:
            raise ApplicationNotFound(_missing_module(spec, name, error.name or name)) from None
        _blame(spec, "fails on import", error)
    except (Exception, SystemExit) as error:
        _blame(spec, "fails on import", error)


def _missing_module(spec: str, name: str, missing: str) -> str:
    said = f"{spec!r}: there is no module {missing!r}"
    parent, _, leaf = missing.rpartition(".")
    if not parent:
        found = {module.name for module in pkgutil.iter_modules()}
        found |= {path.name for path in Path.cwd().iterdir() if path.is_dir()}
        near = _nearest(leaf, found)
        return said + (f": did you mean {near!r}?" if near else f" in {Path.cwd()} (see --chdir) or on sys.path")
    package = sys.modules[parent]
    if missing == name and hasattr(package, leaf):
        return f"{said}: did you mean '{parent}:{leaf}'?"
    if not hasattr(package, "__path__"):
        return f"{said}: {parent!r} is a module, not a package"
    near = _nearest(leaf, (module.name for module in pkgutil.iter_modules(package.__path__)))
    return said + (f": did you mean '{parent}.{near}'?" if near else f": package {parent!r} has none of that name")


def _default_name(spec: str, module: ModuleType, names: tuple[str, ...]) -> str:
    for name in names:
        if hasattr(module, name):
            return name
    for name in _FACTORY_NAMES:
        if hasattr(module, name):
            raise ApplicationNotFound(f"{spec!r} has neither {' nor '.join(names)}: did you mean '{spec}:{name}()'?")
    raise ApplicationNotFound(f"{spec!r} has neither {' nor '.join(names)}: name the object: {spec}:name")


def _attribute(spec: str, module: ModuleType, names: tuple[str, ...]) -> Any:
    found: Any = module
    owner = module.__name__
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            near = _nearest(name, (other for other in dir(found) if not other.startswith("_")))
            hint = f": did you mean {near!r}?" if near else ""
            raise ApplicationNotFound(f"{spec!r}: {owner} has no attribute {name!r}{hint}") from None
        except Exception as error:
            _blame(spec, "fails when it is looked up", error)
        owner += f".{name}"
    return found


def _call_factory(spec: str, where: str, factory: Any, target: _Target) -> Any:
    if not callable(factory):
        raise ApplicationNotFound(f"{where} is {_described(factory)}, not a factory: leave out () and --factory")
    if inspect.iscoroutinefunction(factory):
        raise ApplicationNotFound(f"{where} is a coroutine function: a factory of a WSGI application is a plain one")
    try:
        return factory(*target.arguments, **target.keywords)
    except TypeError as error:
        if _foreign_frames(error) is None:  # the call itself was refused, not something in the factory's body
            raise ApplicationNotFound(f"{spec!r}: {error}: give its arguments as literals in the parentheses") from None
        _blame(spec, "fails", error)
    except (Exception, SystemExit) as error:
        _blame(spec, "fails", error)


def _refuse_misfit(where: str, found: Any, called: bool) -> None:
    """Refuse what cannot be called with (environ, start_response), as far as its signature tells."""
    if not callable(found):
        hint = ": does the factory return its application?" if called and found is None else ""
        raise ApplicationNotFound(f"{where} is {_described(found)}, not a callable{hint}")
    call = getattr(found, "__call__", None)  # noqa: B004 - the method itself is wanted
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(call):
        raise ApplicationNotFound(f"{where} is an ASGI application: wsgiraw serves WSGI; wrap it or use an ASGI server")
    try:
        signature = inspect.signature(found)
    except (ValueError, TypeError):
        return  # written in C, say: it will have to tell us itself
    if _takes(signature, 2):
        return
    if _takes(signature, 3):
        raise ApplicationNotFound(
            f"{where} is an ASGI application by its three arguments: WSGI has environ and start_response"
        )
    if _takes(signature, 0) and not called:
        raise ApplicationNotFound(f"{where} takes no arguments and looks like a factory: write {where}() or --factory")
    raise ApplicationNotFound(f"{where} cannot be called with (environ, start_response): it takes {signature}")


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _described(found: Any) -> str:
    return "None" if found is None else f"of type {type(found).__name__}"


def _nearest(word: str, names: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word, sorted(names), n=1)), "")


def _foreign_frames(error: BaseException) -> TracebackType | None:
    """The traceback from the first frame that is neither ours nor the import system's; None if there is none."""
    frames = error.__traceback__
    while frames is not None:
        file = frames.tb_frame.f_code.co_filename
        if file not in (__file__, importlib.__file__) and not file.startswith("<frozen importlib"):
            break
        frames = frames.tb_next
    return frames


def _blame(spec: str, what: str, error: BaseException) -> NoReturn:
    text = str(error).partition("\n")[0]
    found = ApplicationNotFound(f"{spec!r} {what}: {type(error).__name__}{': ' if text else ''}{text}")
    found.add_note("".join(traceback.format_exception(type(error), error, _foreign_frames(error))).rstrip())
    raise found from None
