"""The importer: what each specification finds, and what is said when it finds nothing that can be served."""

import importlib
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wsgiraw.errors import ApplicationNotFound, ConfigError
from wsgiraw.importer import import_application, load, parse_specs, set_import_path

GOOD = '''
import functools

def app(environ, start_response):
    """A WSGI application."""

class Site:
    def __init__(self, name="site"):
        self.name = name

    def __call__(self, environ, start_response): ...

    @property
    def broken(self):
        raise RuntimeError("no property today")

class Response:
    """A class that is an application, as in PEP 3333."""
    def __init__(self, environ, start_response): ...

def create_app(name="made", *, number=0):
    site = Site(name)
    site.number = number
    return site

def make_two(a, b, c, d):
    return app

def nothing(): pass
def raises(): raise ValueError("no\\nfactory")
def mistakes(): len(1, 2)
def leaves(): raise SystemExit(3)
async def coroutine_factory(): return app
async def asgi(scope, receive, send): ...
class ASGI:
    async def __call__(self, scope, receive, send): ...
def three(scope, receive, send): ...
def four(a, b, c, d): ...
def starred(*args): ...

site = Site()
site.inner = Site("inner")
partial = functools.partial(lambda extra, environ, start_response: None, 1)
asgi_object = ASGI()
compiled = dict
number = 7
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory to import from; modules, path and directory are as before afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.py").write_text(GOOD)
    set_import_path()
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(name: str, text: str = "") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(textwrap.dedent(text))
    importlib.invalidate_caches()


def refused(spec: str, factory: bool = False) -> ApplicationNotFound:
    with pytest.raises(ApplicationNotFound) as caught:
        import_application(spec, factory)
    assert "\n" not in str(caught.value)
    return caught.value


def traceback_of(error: ApplicationNotFound) -> str:
    return "\n".join(getattr(error, "__notes__", ()))


# Specifications, prefixes.


@pytest.mark.parametrize(
    ("specs", "mounts"),
    [
        (["m:app"], {"": "m:app"}),
        (["m:f('a=b', n=1)"], {"": "m:f('a=b', n=1)"}),
        (["/=m:app"], {"/": "m:app"}),
        (["/=a:app", "/flask=b:f(n=1)", "/x/y/=c"], {"/": "a:app", "/flask": "b:f(n=1)", "/x/y": "c"}),
    ],
)
def test_specs(specs: list[str], mounts: dict[str, str]) -> None:
    assert parse_specs(specs) == mounts


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "no application: write package.module:app"),
        (["/x="], "'/x=' names no application: write /x=package.module:app"),
        (["a:app", "b:app"], "'a:app' has no prefix: with several applications write /=a:app or /prefix=a:app"),
        (["a:app", "/b=b:app"], "'a:app' has no prefix: with several applications write /=a:app or /prefix=a:app"),
        (["/b=b:app", "a:app"], "'a:app' has no prefix: with several applications write /=a:app or /prefix=a:app"),
        (["/x=a:app", "/x/=b:app"], "prefix '/x' is given twice: 'a:app' and 'b:app'"),
        (["x=a:app"], "'x=a:app': a mount prefix begins with a slash: did you mean '/x=a:app'?"),
        (
            ["/a//b=a:app"],
            "'/a//b=a:app': a mount prefix is a plain path such as /shop: no //, ?, #, % or white space",
        ),
        (["/a b=a:app"], "'/a b=a:app': a mount prefix is a plain path such as /shop: no //, ?, #, % or white space"),
    ],
)
def test_specs_that_are_refused(specs: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_specs(specs)
    assert str(caught.value) == message
    assert not isinstance(caught.value, ApplicationNotFound)


# What can be found.


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "spec",
    [
        "good:app",
        " good : app ",
        "good",
        "good:site",
        "good:site.inner",
        "good:Response",
        "good:partial",
        "good:compiled",
        "good:starred",
        "good:create_app()",
        "good:make_two(1, 'two', None, [{'a': (True,)}])",
    ],
)
def test_found(spec: str) -> None:
    assert callable(import_application(spec))


@pytest.mark.usefixtures("place")
def test_factories_get_their_literal_arguments() -> None:
    site: Any = import_application("good:create_app('x', number=-2.5)")
    assert (site.name, site.number) == ("x", -2.5)
    assert import_application("good:Site('mine')").name == "mine"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("place")
def test_factory_flag() -> None:
    for spec in ("good:create_app", "good", "good:create_app()"):
        assert import_application(spec, True).name == "made"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("place")
def test_a_module_alone_prefers_application_to_app() -> None:
    write("both.py", "def app(e, s): ...\ndef application(e, s): ...\n")
    assert import_application("both").__name__ == "application"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("place")
def test_load_gives_an_application_for_each_prefix() -> None:
    assert list(load(["/=good:app", "/site=good:site"])) == ["/", "/site"]
    assert list(load(["good:create_app"], factory=True)) == [""]


# What cannot: short messages without a traceback.


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (":app", "':app' names no module: write package.module:app"),
        ("a..b:app", "'a..b:app' names no module: write package.module:app"),
        ("a b:app", "'a b:app' names no module: write package.module:app"),
        ("good.py:app", "'good.py:app' is a path, and modules have dotted names: write good:app"),
        ("apps/good.py", "'apps/good.py' is a path, and modules have dotted names: write apps.good"),
        ("./apps/good:app", "'./apps/good:app' is a path, and modules have dotted names: write apps.good:app"),
        ("/srv/x.py:app", "'/srv/x.py:app' is a path, and modules have dotted names: write --chdir /srv x:app"),
        ("../x.py:app", "'../x.py:app' is a path, and modules have dotted names: write --chdir .. x:app"),
        ("god:app", "'god:app': there is no module 'god': did you mean 'good'?"),
        ("good.app", "'good.app': there is no module 'good.app': did you mean 'good:app'?"),
        ("good.x.y", "'good.x.y': there is no module 'good.x': 'good' is a module, not a package"),
        ("good:ap", "'good:ap': good has no attribute 'ap': did you mean 'app'?"),
        ("good:site.iner", "'good:site.iner': good.site has no attribute 'iner': did you mean 'inner'?"),
        ("good:zzzz", "'good:zzzz': good has no attribute 'zzzz'"),
        ("good:number", "good:number is of type int, not a callable"),
        ("good:nothing()", "good:nothing() is None, not a callable: does the factory return its application?"),
        ("good:number()", "good:number is of type int, not a factory: leave out () and --factory"),
        (
            "good:coroutine_factory()",
            "good:coroutine_factory is a coroutine function: a factory of a WSGI application is a plain one",
        ),
        ("good:asgi", "good:asgi is an ASGI application: wsgiraw serves WSGI; wrap it or use an ASGI server"),
        (
            "good:asgi_object",
            "good:asgi_object is an ASGI application: wsgiraw serves WSGI; wrap it or use an ASGI server",
        ),
        (
            "good:three",
            "good:three is an ASGI application by its three arguments: WSGI has environ and start_response",
        ),
        (
            "good:create_app",
            "good:create_app takes no arguments and looks like a factory: write good:create_app() or --factory",
        ),
        ("good:four", "good:four cannot be called with (environ, start_response): it takes (a, b, c, d)"),
        (
            "good:create_app(1, 2)",
            "'good:create_app(1, 2)': create_app() takes from 0 to 1 positional arguments but 2 were given: "
            "give its arguments as literals in the parentheses",
        ),
    ],
)
def test_not_found(spec: str, message: str) -> None:
    error = refused(spec)
    assert str(error) == message
    assert traceback_of(error) == ""


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("text", ["", "1", "a b", "a[0]", "f()()", "f(", "f().x", "a\0"])
def test_what_stands_after_the_colon_is_a_name(text: str) -> None:
    assert "after the colon stands a name" in str(refused(f"good:{text}"))


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("arguments", ["os", "f()", "*[1]", "**{}", "{[]: 1}", "n=os", "1 + 1"])
def test_arguments_are_literals(arguments: str) -> None:
    assert "arguments are literals" in str(refused(f"good:create_app({arguments})"))


@pytest.mark.usefixtures("place")
def test_modules_of_packages() -> None:
    write("shop/__init__.py")
    write("shop/website.py", "def app(e, s): ...")
    assert callable(import_application("shop.website:app"))
    assert str(refused("shop.websit:app")).endswith("there is no module 'shop.websit': did you mean 'shop.website'?")
    assert str(refused("shop.zzzz")).endswith("there is no module 'shop.zzzz': package 'shop' has none of that name")


def test_a_module_that_is_nowhere(place: Path) -> None:
    message = str(refused("zzzzqqqq:app"))
    assert message == f"'zzzzqqqq:app': there is no module 'zzzzqqqq' in {place} (see --chdir) or on sys.path"


@pytest.mark.usefixtures("place")
def test_a_module_alone_without_an_application() -> None:
    write("empty.py")
    write("made.py", "def create_app(): ...")
    assert str(refused("empty")) == "'empty' has neither application nor app: name the object: empty:name"
    assert str(refused("made")) == "'made' has neither application nor app: did you mean 'made:create_app()'?"
    assert str(refused("empty", True)) == "'empty' has neither create_app nor make_app: name the object: empty:name"


@pytest.mark.usefixtures("place")
def test_a_factory_that_returns_a_factory_is_not_called_twice() -> None:
    write("twice.py", "def app(): return lambda: None")
    assert str(refused("twice:app()")) == "twice:app() cannot be called with (environ, start_response): it takes ()"


# What fails in the application's own code: a short message, and the traceback without our frames.


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("from os import no_such_name", r"ImportError: cannot import name 'no_such_name' from 'os' .*"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def app(:", r"SyntaxError: invalid syntax \(faulty.py, line 1\)"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("raise ValueError", "ValueError"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("import faulty.more", "ModuleNotFoundError: No module named 'faulty.more'; 'faulty' is not a package"),
    ],
)
def test_fails_on_import(source: str, message: str) -> None:
    write("faulty.py", source)
    error = refused("faulty:app")
    assert re.fullmatch(f"'faulty:app' fails on import: {message}", str(error))
    shown = traceback_of(error)
    assert "faulty.py" in shown
    assert "importer.py" not in shown
    assert "frozen importlib" not in shown


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("spec", "message", "line"),
    [
        ("good:raises()", "'good:raises()' fails: ValueError: no", "in raises"),
        ("good:leaves()", "'good:leaves()' fails: SystemExit: 3", "in leaves"),
        (
            "good:mistakes()",
            "'good:mistakes()' fails: TypeError: len() takes exactly one argument (2 given)",
            "in mistakes",
        ),
        (
            "good:site.broken",
            "'good:site.broken' fails when it is looked up: RuntimeError: no property today",
            "in broken",
        ),
    ],
)
def test_fails_when_called(spec: str, message: str, line: str) -> None:
    error = refused(spec)
    assert str(error) == message
    assert line in traceback_of(error)
    assert "importer.py" not in traceback_of(error)


@pytest.mark.usefixtures("place")
def test_an_interruption_is_not_a_failure() -> None:
    write("interrupted.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        import_application("interrupted:app")


# Directories.


def test_the_current_directory_comes_first_then_pythonpath(place: Path) -> None:
    for name in ("here", "one", "two"):
        (place / name).mkdir()
    set_import_path("here", ("../one", str(place / "two"), "../one"))
    assert Path.cwd() == place / "here"
    assert sys.path[:3] == [str(place / "here"), str(place / "one"), str(place / "two")]
    assert sys.path.count(str(place / "one")) == 1
    write(str(place / "two" / "elsewhere.py"), "def app(e, s): ...")
    assert callable(import_application("elsewhere:app"))


def test_directories_that_do_not_exist(place: Path) -> None:
    with pytest.raises(ConfigError, match=r"^chdir 'nowhere': No such file or directory: give an existing directory$"):
        set_import_path("nowhere")
    with pytest.raises(ConfigError, match=r"^pythonpath 'nowhere': no such directory"):
        set_import_path(".", ["nowhere"])
    assert os.getcwd() == str(place)  # noqa: PTH109
