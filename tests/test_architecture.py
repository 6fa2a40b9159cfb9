"""The shape that docs/architecture.md promises: sizes of files, docstrings, exports, and who imports what."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "wsgiraw"
MODULES = sorted(PACKAGE.rglob("*.py"))

SENSIBLE, GREATEST = 250, 400
"""Lines of a module: above the first it needs a reason below, above the second it must be taken apart."""

LONG = {
    "importer.py": "one message for each way in which an application specification can fail",
    "strategies/loop.py": "all transitions of one state machine, which is easier to follow in one place",
    "strategies/prefork/master.py": "all transitions of another: what a master does about each thing that happens",
}

WITHOUT_INPUT_AND_OUTPUT = frozenset(
    [
        "asyncio",
        "logging",
        "os",
        "pathlib",
        "select",
        "selectors",
        "signal",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
        "time",
    ]
)


def name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def imports(module: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports, for type checking too."""
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(module)} imports relatively"
            yield node.module or ""


def test_modules_are_found() -> None:
    assert len(MODULES) > 20


def test_long_modules_have_a_reason() -> None:
    lengths = {name(module): len(module.read_text().splitlines()) for module in MODULES}
    assert {module: lines for module, lines in lengths.items() if lines > GREATEST} == {}
    assert {module for module, lines in lengths.items() if lines > SENSIBLE} == set(LONG)


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_module_says_what_it_does(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_bytes()))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_exports_are_declared_and_exist(module: Path) -> None:
    dotted = ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    loaded = importlib.import_module(dotted)
    assert "__all__" in vars(loaded)
    assert [export for export in loaded.__all__ if not hasattr(loaded, export)] == []
    assert len(set(loaded.__all__)) == len(loaded.__all__)


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_imports_are_the_standard_library_or_ours(module: Path) -> None:
    assert {imported.partition(".")[0] for imported in imports(module)} <= {*sys.stdlib_module_names, "wsgiraw"}


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_nobody_imports_the_package_itself(module: Path) -> None:
    """`from wsgiraw import Server` is for users; from inside it would be a circle through __init__.py."""
    assert "wsgiraw" not in set(imports(module))


@pytest.mark.parametrize("module", sorted((PACKAGE / "http11").glob("*.py")), ids=name)
def test_http11_does_no_input_and_output(module: Path) -> None:
    assert {imported.partition(".")[0] for imported in imports(module)} & WITHOUT_INPUT_AND_OUTPUT == set()


def test_import_contracts_are_kept() -> None:
    """The contracts of pyproject.toml; .ci/run runs them too, where the test environment lacks the tool."""
    try:
        importlib.import_module("importlinter")
    except ModuleNotFoundError:
        pytest.skip("import-linter is not installed")
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ended = subprocess.run([sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
