"""The scripts of benchmarks/ can be imported and explain themselves, and pages have a place for what they find.

That they measure rightly nobody tests here.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "benchmarks").glob("*.py"))
SCRIPTS = [file.name for file in FILES if "__main__" in file.read_text()]
APPLICATIONS = [file.stem for file in FILES if re.search(r"^(def app\(|app = )", file.read_text(), re.MULTILINE)]
MARKS = {"budget", "budget-before", "static-files", "idle-connections", "big-bodies", "tls"}

# All in one process, as its start and the imports are what takes the time.
PROGRAM = """
import importlib, io, pathlib, runpy, sys
from contextlib import redirect_stdout

folder = pathlib.Path("benchmarks")
sys.path[:0] = [str(folder.resolve()), str(pathlib.Path().resolve())]
applications, scripts = (argument.split(",") for argument in sys.argv[1:])
for name in applications:
    assert callable(importlib.import_module("benchmarks." + name).app)
for name in scripts:
    sys.argv[:] = [str(folder / name), "--help"]
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            runpy.run_path(str(folder / name), run_name="__main__")
    except SystemExit as end:
        print(name, end.code, *printed.getvalue().split()[:2])
import performance
print(*performance.FIGURES)
"""


def test_each_script_can_be_imported_and_helps_and_its_figures_have_a_place() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(APPLICATIONS), ",".join(SCRIPTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    *helped, figures = ended.stdout.splitlines()
    assert helped == [f"{name} 0 usage: {name}" for name in SCRIPTS]
    places = re.findall(r"<!-- begin: (\S+) -->", (ROOT / "docs" / "performance.md").read_text())
    assert sorted(places) == sorted({*MARKS, *figures.split()})
