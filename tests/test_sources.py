"""Sources: which one wins, what its values are called, and which one is blamed."""

from pathlib import Path
from typing import Any

import pytest

from wsgiraw.config import Config
from wsgiraw.errors import ConfigError
from wsgiraw.options import declared
from wsgiraw.sources import Settings, gather, report


class Place:
    """A directory with configuration files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, name: str, text: str) -> str:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def gather(
        self, flags: dict[str, Any] | None = None, file: str | None = None, /, **environ: str
    ) -> tuple[Config, dict[str, str]]:
        return gather(flags or {}, environ, self.directory, file)

    def refused(self, flags: dict[str, Any] | None = None, file: str | None = None, /, **environ: str) -> str:
        with pytest.raises(ConfigError) as caught:
            self.gather(flags, file, **environ)
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_given_leaves_the_defaults(place: Place) -> None:
    config, origins = place.gather(None, HOME="/", PORT="", WEB_CONCURRENCY="", WSGIRAW_CONFIG="")
    assert config == Config()
    assert origins == dict.fromkeys(declared(Config), "default")


def test_each_source_overrides_those_below(place: Place) -> None:
    flags: dict[str, Any] = {}
    environ: dict[str, str] = {}
    expected = [(1, "default")]

    def now() -> tuple[int, str]:
        config, origins = place.gather(flags, **environ)
        return config.workers, origins["workers"]

    assert now() == expected[-1]
    place.write("pyproject.toml", "[tool.wsgiraw]\nworkers = 0\n")
    assert now() == (0, "pyproject.toml:workers")
    place.write("wsgiraw.toml", "workers = 2\n")
    assert now() == (2, "wsgiraw.toml:workers")
    environ["WEB_CONCURRENCY"] = "3"
    assert now() == (3, "environment WEB_CONCURRENCY")
    environ["WSGIRAW_WORKERS"] = "4"
    assert now() == (4, "environment WSGIRAW_WORKERS")
    flags["workers"] = "5"
    assert now() == (5, "flag --workers")


def test_values_of_all_kinds_in_a_file(place: Place) -> None:
    place.write(
        "wsgiraw.toml",
        """
        app = ["/=a:app", "/b=b:app"]
        factory = true
        pythonpath = "x, y"
        bind = [":80", "unix:/tmp/x"]
        socket_mode = 0o660
        keep-alive = 5
        head_timeout = 1.5
        body-timeout = "2m"
        max_body_bytes = "1M"
        max_head_bytes = 4096
        access_logfile = "auto"
        workers = "auto"
        strategy = "gthread"
        max-rss = "512M"
        user = "www-data"
        umask = "027"
        pid = "x.pid"
        """,
    )
    config, origins = place.gather()
    assert (config.app, config.factory, config.pythonpath) == (("/=a:app", "/b=b:app"), True, ("x", "y"))
    assert (config.addresses, config.socket_mode) == ((":80", "unix:/tmp/x"), 0o660)
    assert (config.keep_alive, config.head_timeout, config.body_timeout) == (5.0, 1.5, 120.0)
    assert (config.max_body_bytes, config.max_head_bytes) == (2**20, 4096)
    assert config.access_logfile is None
    assert config.workers >= 1
    assert (config.strategy, config.max_rss) == ("handoff", 2**29)
    assert (config.user, config.umask, config.pid) == ("www-data", "027", "x.pid")
    assert origins["keep_alive"] == "wsgiraw.toml:keep-alive"


def test_values_of_all_kinds_in_variables(place: Place) -> None:
    config, origins = place.gather(
        None,
        WSGIRAW_APP="/=a:f(1, 2) /b=b:app",
        WSGIRAW_BIND=":80,:81",
        WSGIRAW_LINT="on",
        WSGIRAW_SERVER_HEADER="",
        WSGIRAW_KEEP_ALIVE="500ms",
    )
    assert config.app == ("/=a:f(1, 2)", "/b=b:app")
    assert config.bind == (":80", ":81")
    assert (config.lint, config.server_header, config.keep_alive) == (True, "", 0.5)
    assert origins["lint"] == "environment WSGIRAW_LINT"


def test_values_of_all_kinds_in_flags(place: Place) -> None:
    flags = {"app": ["a:f(1, 2)"], "bind": [":80", ":81,:82"], "lint": True, "max_body_bytes": "1K"}
    config, origins = place.gather(flags)
    assert (config.app, config.bind, config.lint) == (("a:f(1, 2)",), (":80", ":81", ":82"), True)
    assert (origins["app"], origins["bind"]) == ("command line", "flag --bind")


def test_a_named_file_takes_the_place_of_those_in_the_directory(place: Place) -> None:
    place.write("wsgiraw.toml", "port = 1\nworkers = 5\n")
    other = place.write("other.toml", "port = 2\n")
    for config, origins in (place.gather(None, other), place.gather(None, WSGIRAW_CONFIG=other)):
        assert (config.port, config.workers) == (2, 1)
        assert origins["port"] == f"{other}:port"
    pyproject = place.write("pyproject.toml", "[tool.wsgiraw]\nport = 3\n")
    assert place.gather(None, pyproject, WSGIRAW_CONFIG=other)[0].port == 3


@pytest.mark.parametrize("text", ["", "[tool.other]\nport = 1\n", "tool = 1\n"])
def test_a_pyproject_without_our_table_says_nothing(place: Place, text: str) -> None:
    place.write("pyproject.toml", text)
    assert place.gather()[0] == Config()


# Addresses: bind, host and port, $PORT.


@pytest.mark.parametrize(
    ("file", "environ", "flags", "addresses"),
    [
        ("port = 1", {}, {"bind": [":2"]}, (":2",)),
        ("bind = ':1'", {}, {"port": "2"}, ("127.0.0.1:2",)),
        ("bind = ':1'", {"WSGIRAW_HOST": "::1"}, {}, ("[::1]:8000",)),
        ("bind = ':1'", {"PORT": "5000"}, {}, ("0.0.0.0:5000",)),
        ("host = '::1'", {}, {"port": "2"}, ("[::1]:2",)),
        ("", {"PORT": "5000"}, {"bind": [":2"]}, (":2",)),
        ("", {"PORT": "5000"}, {"host": "::"}, ("[::]:5000",)),
        ("", {"PORT": "5000"}, {"port": "2"}, ("127.0.0.1:2",)),
        ("", {"PORT": "5000", "WSGIRAW_PORT": "2"}, {"host": "::1"}, ("[::1]:2",)),
        ("port = 1", {"WSGIRAW_BIND": ""}, {}, ("127.0.0.1:1",)),
    ],
)
def test_the_higher_source_says_where_to_listen(
    place: Place, file: str, environ: dict[str, str], flags: dict[str, Any], addresses: tuple[str, ...]
) -> None:
    place.write("wsgiraw.toml", file)
    assert place.gather(flags, **environ)[0].addresses == addresses


def test_bind_and_port_in_one_source_exclude_each_other(place: Place) -> None:
    assert place.refused({"bind": [":1"], "port": "8000"}) == (
        "bind (flag --bind) and port (flag --port) exclude each other: put the host and port into bind"
    )


# Mistakes.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = 70000", "port 70000 is out of range: give 0 to 65535 (wsgiraw.toml:port)"),
        ("port = '80'", "port '80' is not a whole number: give 0 to 65535 (wsgiraw.toml:port)"),
        ("lint = 'on'", "lint 'on' is not a switch: give on, off (wsgiraw.toml:lint)"),
        ("bind = [80]", "bind [80] is not text or a list of texts (wsgiraw.toml:bind)"),
        ("chdir = 1979-05-27", "chdir datetime.date(1979, 5, 27) is not text (wsgiraw.toml:chdir)"),
        ("prot = 80", "wsgiraw.toml: there is no option 'prot': did you mean 'port'?"),
        ("max-body-byte = 1", "wsgiraw.toml: there is no option 'max-body-byte': did you mean 'max_body_bytes'?"),
        ("zzz = 1", "wsgiraw.toml: there is no option 'zzz'"),
        (
            "[tool.wsgiraw]\nport = 1",
            "wsgiraw.toml: there is no option 'tool': in wsgiraw.toml the keys stand at the top, without a table",
        ),
        ("keep-alive = 1\nkeep_alive = 2", "wsgiraw.toml: 'keep_alive' and 'keep-alive' are the same option"),
    ],
)
def test_mistakes_in_a_file(place: Place, text: str, message: str) -> None:
    place.write("wsgiraw.toml", text)
    assert place.refused() == message


def test_files_that_cannot_be_read(place: Place) -> None:
    assert place.refused(None, "/nowhere/x.toml") == ("configuration file /nowhere/x.toml: No such file or directory")
    place.write("wsgiraw.toml", "port = \n")
    assert place.refused().startswith("configuration file wsgiraw.toml is not TOML: ")
    (place.directory / "wsgiraw.toml").write_bytes(b"chdir = '\xff'\n")
    assert place.refused().startswith("configuration file wsgiraw.toml is not TOML: ")


def test_our_key_in_pyproject_must_be_a_table(place: Place) -> None:
    place.write("pyproject.toml", "[tool]\nwsgiraw = 1\n")
    assert place.refused() == "pyproject.toml: tool.wsgiraw is not a table: write [tool.wsgiraw]"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"WSGIRAW_PROT": "1"},
            "environment: there is no variable WSGIRAW_PROT: did you mean 'WSGIRAW_PORT'?",
        ),
        ({"WSGIRAW_ZZZZZZZZZZZZZZZZ": "1"}, "environment: there is no variable WSGIRAW_ZZZZZZZZZZZZZZZZ"),
        (
            {"WSGIRAW_CONFIGS": "1"},
            "environment: there is no variable WSGIRAW_CONFIGS: did you mean 'WSGIRAW_CONFIG'?",
        ),
        (
            {"WSGIRAW_PORT": "x"},
            "port 'x' is not a whole number: give 0 to 65535 (environment WSGIRAW_PORT)",
        ),
        ({"PORT": "x"}, "port 'x' is not a whole number: give 0 to 65535 (environment PORT)"),
        (
            {"WEB_CONCURRENCY": "5000"},
            "workers 5000 is out of range: give 0 to 1024 (environment WEB_CONCURRENCY)",
        ),
    ],
)
def test_mistakes_in_the_environment(place: Place, environ: dict[str, str], message: str) -> None:
    assert place.refused(None, **environ) == message


def test_mistakes_in_flags(place: Place) -> None:
    assert place.refused({"port": "70000"}) == "port 70000 is out of range: give 0 to 65535 (flag --port)"
    assert place.refused({"app": [""]}) == "app '' is empty: give a name (command line)"
    message = place.refused({"strategy": "sync", "threads": "2"})
    assert message.startswith("threads 2 does not fit strategy 'serial'")


# The report.


def test_report_is_aligned_and_names_origins(place: Place) -> None:
    config, origins = place.gather({"port": "9000", "app": ["m:" + "x" * 80]}, WEB_CONCURRENCY="2")
    lines = report(Settings(config, origins)).splitlines()
    assert [line.split()[0] for line in lines] == list(declared(Config))
    columns = [line.index("  # ") for line in lines]
    assert len({column for column in columns if column <= 32}) == 1
    assert any(line.startswith("port = 9000 ") and line.endswith("# flag --port") for line in lines)
    assert any(line.startswith("workers = 2 ") and line.endswith("# environment WEB_CONCURRENCY") for line in lines)
    assert any(line.startswith('max_body_bytes = "1G" ') and line.endswith("# default") for line in lines)


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"bind": [":80", "unix:/tmp/ü"], "lint": True},
        {"host": "::1", "port": "1", "app": ["/=a:f('\"x\\\\')", "/b=b:app"], "socket_mode": "660"},
        {"strategy": "sync", "user": "33", "umask": "027", "pid": "/run/ü.pid", "max_rss": "1G"},
        {"keep_alive": "0.5", "head_timeout": "1ms", "max_body_bytes": "1025", "access_logfile": "off"},
    ],
)
def test_report_can_be_read_back_as_a_file(place: Place, flags: dict[str, Any]) -> None:
    config, origins = place.gather(flags)
    copy = place.write("copy.toml", report(Settings(config, origins)))
    assert place.gather(None, copy)[0] == config
