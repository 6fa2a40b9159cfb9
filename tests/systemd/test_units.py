"""The units in deploy/, as `systemd-analyze verify` reads them."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

from tests.apps.conftest import absent
from wsgiraw import Config

DEPLOY = Path(__file__).parents[2] / "deploy"


def unit(name: str) -> configparser.ConfigParser:
    """Return a unit, in which no option occurs twice."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((DEPLOY / name).read_text())
    return parser


def test_systemd_understands_them(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        absent("systemd-analyze")
    for name in ("wsgiraw.service", "wsgiraw.socket"):
        text = (DEPLOY / name).read_text()  # with a program that exists here
        (tmp_path / name).write_text(text.replace("/srv/mysite/venv/bin/wsgiraw", sys.executable))
    paths = [str(tmp_path / name) for name in ("wsgiraw.service", "wsgiraw.socket")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


def test_they_fit_the_defaults() -> None:
    service = unit("wsgiraw.service")["Service"]
    assert service["Type"] == "notify"
    assert float(service["TimeoutStopSec"]) > Config().graceful_timeout + Config().drain_delay + 1
    assert unit("wsgiraw.socket")["Socket"]["Backlog"] == str(Config().backlog)
