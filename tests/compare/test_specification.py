"""How servers find the application: as it is, or through a module that understands all that wsgiraw does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wsgiraw.compare.servers.specification import APPLICATION, environment, specification
from wsgiraw.errors import ConfigError

THROUGH = "wsgiraw.compare.servers.application:application"


def test_what_all_understand_is_given_as_it_is() -> None:
    assert specification(["package.module:app"]) == ("package.module:app", {})


@pytest.mark.parametrize(
    ("specs", "factory"),
    [
        (["module"], False),
        (["module:site.app"], False),
        (["module:create('x')"], False),
        (["module:create"], True),
        (["/=module:app"], False),
        (["/=module:app", "/shop=shop:app"], False),
    ],
)
def test_all_else_goes_through_a_module(specs: list[str], factory: bool) -> None:
    name, variables = specification(specs, factory)
    assert name == THROUGH
    assert json.loads(variables[APPLICATION]) == [specs, factory]


def test_no_application_is_refused() -> None:
    with pytest.raises(ConfigError):
        specification([])


def test_the_environment_configures_no_server(tmp_path: Path) -> None:
    ours = {"WSGIRAW_PORT": "1", "GUNICORN_CMD_ARGS": "-w 9", "PORT": "2", "HOME": "/home", "PYTHONPATH": "/there"}
    found = environment({"MORE": "1"}, str(tmp_path), ["lib"], {**ours, "GRANIAN_WORKERS": "9", "PATH": "/bin"})
    paths = found.pop("PYTHONPATH").split(os.pathsep)
    assert paths[:3] == [str(tmp_path), str(Path("lib").resolve()), "/there"]
    assert found.pop("PATH") == os.pathsep.join([str(Path(sys.executable).parent), "/bin"])
    assert found == {"HOME": "/home", "MORE": "1"}


def test_the_module_has_the_application(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def create(name):\n    return lambda environ, start_response: [name.encode()]\n")
    name, variables = specification(["/shop=shop:create('tea')"])
    module, _, attribute = name.partition(":")
    environ = {"PATH_INFO": "/shop", "SCRIPT_NAME": ""}
    program = f"import {module} as found; print(vars(found)[{attribute!r}]({environ}, print))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(variables, str(tmp_path)), capture_output=True
    )
    assert done.stdout.strip() == b"[b'tea']", done.stderr
