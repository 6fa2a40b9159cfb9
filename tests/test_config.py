"""Config: what each option takes and refuses, and that docs/configuration.md lists them as they are.

`python -m tests.test_config` writes the tables of docs/configuration.md anew.
"""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest

from wsgiraw.config import STRATEGY_NAMES, Config, configure
from wsgiraw.config.processes import ONE_THREAD, STRATEGY_ALIASES
from wsgiraw.errors import ConfigError
from wsgiraw.kinds import SECONDS, SIZE, SWITCH
from wsgiraw.options import Option, declared, did_you_mean
from wsgiraw.strategies import STRATEGIES

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"
BEGIN, END = "<!-- options: begin -->", "<!-- options: end -->"
OPTIONS = declared(Config)
NAMES = ", ".join(STRATEGY_NAMES)


def refused(**options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        configure(**options)
    return str(caught.value)


# Defaults and shape.


def test_defaults() -> None:
    config = Config()
    assert config.addresses == ("127.0.0.1:8000",)
    assert (config.backlog, config.socket_mode, config.strategy) == (2048, 0o600, "handoff")
    assert (config.workers, config.threads, config.max_children) == (1, 8, 64)
    assert (config.handoff_after, config.max_queue, config.queue_timeout) == (0.001, 1024, 60)
    assert (config.preload, config.max_requests, config.max_requests_jitter, config.max_rss) == (False, 0, 0, 0)
    assert (config.drain_delay, config.request_timeout, config.loop_timeout) == (0, 0, 60)
    assert (config.pid, config.user, config.group, config.umask, config.health_path) == (None, None, None, None, "")
    assert (config.post_fork, config.worker_ready, config.worker_exit) == (None, None, None)
    assert (config.max_head_bytes, config.limit_request_line, config.limit_request_fields) == (65536, 8192, 100)
    assert (config.max_body_bytes, config.spool_bytes) == (2**30, 524288)
    assert (config.max_chunk_line_bytes, config.max_trailer_bytes) == (4096, 16384)
    assert (config.keep_alive, config.head_timeout, config.body_timeout) == (75, 20, 30)
    assert (config.write_timeout, config.linger_timeout, config.graceful_timeout) == (30, 2, 30)
    assert (config.access_logfile, config.error_logfile, config.log_level) == (None, "-", "info")
    assert (config.server_header, config.lint, config.factory) == ("wsgiraw", False, False)


def test_is_frozen_slotted_and_keyword_only() -> None:
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.port = 1  # type: ignore[misc]
    assert not hasattr(config, "__dict__")
    with pytest.raises(TypeError):
        Config("app")  # type: ignore[misc]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_option_explains_itself_and_shows_what_it_takes(option: Option) -> None:
    assert option.help.endswith(".")
    assert option.group
    assert option.from_value(option.default) == option.default
    shown = option.show(option.default)
    assert option.from_text(shown) == option.default
    assert type(option.from_value(option.default)) is type(option.default)


@pytest.mark.parametrize("option", [o for o in OPTIONS.values() if o.kind in (SIZE, SECONDS) or "limit" in o.name])
def test_every_limit_and_timeout_names_a_precedent(option: Option) -> None:
    assert re.search(r"nginx|gunicorn|Apache|waitress|uWSGI|Go |Node", option.help)


# Values.


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("port", "+80", 80),
        ("max_body_bytes", "10", 10),
        ("max_body_bytes", "64K", 65536),
        ("max_body_bytes", "8m", 8 * 2**20),
        ("max_body_bytes", "2G", 2**31),
        ("keep_alive", "30", 30.0),
        ("keep_alive", "1.5", 1.5),
        ("keep_alive", "2m", 120.0),
        ("keep_alive", "500ms", 0.5),
        ("keep_alive", "1h", 3600.0),
        ("keep_alive", "7s", 7.0),
        ("socket_mode", "660", 0o660),
        ("socket_mode", "0o660", 0o660),
        ("lint", "on", True),
        ("lint", "Yes", True),
        ("lint", "0", False),
        ("log_level", "DEBUG", "debug"),
        ("server_header", "", ""),
        ("server_header", "a b/1", "a b/1"),
        ("access_logfile", "auto", None),
        ("access_logfile", "off", "off"),
        ("access_logfile", "-", "-"),
        ("pythonpath", "a, b,,", ("a", "b")),
        ("app", "m:f('x', n=1)", ("m:f('x', n=1)",)),
        ("app", "/=a:app /b=b:f(1, 2)  /c=c", ("/=a:app", "/b=b:f(1, 2)", "/c=c")),
        ("app", " ", ()),
        ("bind", ":80,unix:/tmp/x", (":80", "unix:/tmp/x")),
        ("strategy", "GThread", "handoff"),
        ("strategy", "sync", "serial"),
        ("strategy", "Pooled", "pooled"),
        ("max_rss", "512M", 2**29),
        ("handoff_after", "0.1ms", 0.0001),
        ("pid", "/run/x.pid", "/run/x.pid"),
        ("pid", "", None),
        ("user", "www-data", "www-data"),
        ("group", "33", "33"),
        ("umask", "027", "027"),
        ("umask", "0027", "0027"),
        ("umask", "", None),
        ("health_path", "/healthz", "/healthz"),
        ("health_path", "", ""),
        ("post_fork", "site.hooks:forked", "site.hooks:forked"),
    ],
)
def test_text(name: str, text: str, value: object) -> None:
    assert OPTIONS[name].from_text(text) == value


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("keep_alive", 5, 5.0),
        ("keep_alive", "5ms", 0.005),
        ("max_body_bytes", "1K", 1024),
        ("bind", [":80"], (":80",)),
        ("bind", ":80", (":80",)),
        ("app", "m:f(1, 2)", ("m:f(1, 2)",)),
        ("access_logfile", None, None),
        ("workers", 3, 3),
        ("strategy", "gthread", "handoff"),
        ("user", None, None),
        ("user", "", None),
        ("umask", "077", "077"),
        ("host", "[::1]", "::1"),
        ("host", "", "*"),
    ],
)
def test_values(name: str, given: Any, value: object) -> None:
    kept = getattr(configure(**{name: given}), name)
    assert kept == value
    assert type(kept) is type(value)


def test_auto_is_a_worker_for_each_processor_that_we_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        assert configure(workers="auto").workers == len(os.sched_getaffinity(0))
        monkeypatch.delattr(os, "sched_getaffinity")
    assert configure(workers="auto").workers == os.cpu_count()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70000}, "port 70000 is out of range: give 0 to 65535"),
        ({"port": -1}, "port -1 is out of range: give 0 to 65535"),
        ({"port": "8000"}, "port '8000' is not a whole number: give 0 to 65535"),
        ({"port": True}, "port True is not a whole number: give 0 to 65535"),
        ({"port": 1.5}, "port 1.5 is not a whole number: give 0 to 65535"),
        ({"lint": 1}, "lint 1 is not a switch: give on, off"),
        ({"workers": "many"}, "workers 'many' is not a whole number or auto: give 0 to 1024"),
        (
            {"max_body_bytes": "2000G"},
            "max_body_bytes 2000G is out of range: give 0 to 1024G bytes (such as 65536, 64K, 8M, 1G)",
        ),
        (
            {"keep_alive": float("nan")},
            "keep_alive nan is out of range: give 0 to 86400 seconds (such as 30, 1.5, 500ms, 2m)",
        ),
        (
            {"head_timeout": 0},
            "head_timeout 0 is out of range: give 0.001 to 86400 seconds (such as 30, 1.5, 500ms, 2m)",
        ),
        ({"socket_mode": 600}, "socket_mode 1130 is out of range: give 000 to 777 (such as '600' or 0o600)"),
        ({"strategy": "evntloop"}, f"strategy 'evntloop' is not one of {NAMES}: did you mean 'eventloop'?"),
        ({"strategy": "zzz"}, f"strategy 'zzz' is not one of {NAMES}"),
        ({"strategy": 3}, f"strategy 3 is not text: give {NAMES}"),
        ({"bind": [1]}, "bind [1] is not text or a list of texts"),
        ({"access_logfile": ""}, "access_logfile '' is empty: give a name"),
        ({"user": 33}, "user 33 is not a name"),
        ({"umask": 0o22}, "umask 18 is not a name"),
        ({"umask": "888"}, "umask '888' is not an octal file mode: give 000 to 777"),
        ({"umask": "7777"}, "umask '7777' is not an octal file mode: give 000 to 777"),
        ({"health_path": "healthz"}, "health_path 'healthz' is no path: it begins with a slash"),
        ({"chdir": "a\0"}, r"chdir 'a\x00' holds a NUL"),
        (
            {"host": "a:b"},
            "host 'a:b' is not a host: give a name or an IP address; ports and unix sockets go into bind",
        ),
        (
            {"server_header": "a\r\nb"},
            r"server_header 'a\r\nb' cannot be sent: use printable ASCII without spaces around it",
        ),
        ({"bind": ":80", "port": 81}, "bind and host or port are given together: put the host and port into bind"),
        ({"prot": 80}, "there is no option 'prot': did you mean 'port'?"),
        ({"zzz": 80}, "there is no option 'zzz'"),
    ],
)
def test_refusals_name_the_option_the_value_and_what_to_do(options: dict[str, Any], message: str) -> None:
    assert refused(**options) == message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "eighty"),
        ("port", ""),
        ("port", "٨٠"),
        ("port", "8_000"),
        ("max_body_bytes", "1T"),
        ("max_body_bytes", "1.5K"),
        ("keep_alive", "soon"),
        ("keep_alive", "inf"),
        ("keep_alive", "1e3"),
        ("socket_mode", "888"),
        ("lint", "maybe"),
        ("server_header", " a"),
    ],
)
def test_text_that_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} "):
        OPTIONS[name].from_text(text)


def test_numbers_too_large_for_a_float() -> None:
    assert refused(keep_alive=10**400).startswith("keep_alive 1000")


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_strategies_with_one_thread_refuse_more(strategy: str) -> None:
    default = Config().threads
    assert [configure(strategy=strategy, threads=number).threads for number in (1, default)] == [1, default]
    if strategy in ONE_THREAD:
        assert refused(strategy=strategy, threads=4).startswith(f"threads 4 does not fit strategy '{strategy}'")
    else:
        assert configure(strategy=strategy, threads=4).threads == 4


def test_names_of_strategies_are_those_of_the_strategies() -> None:
    assert tuple(STRATEGIES) == STRATEGY_NAMES
    assert set(STRATEGY_ALIASES.values()) <= set(STRATEGIES)
    assert set(ONE_THREAD) == {name for name, strategy in STRATEGIES.items() if not strategy.multithread}


def test_nearest() -> None:
    assert did_you_mean("prt", ["port", "host"], " - ") == " - did you mean 'port'?"
    assert did_you_mean("xyz", ["port", "host"]) == ""


# The document.


def tables() -> str:
    """The options as Markdown, a table for each group."""
    lines: list[str] = []
    group = ""
    for option in OPTIONS.values():
        if option.group != group:
            group = option.group
            lines += ["", f"### {group}", "", "| Option | Default | Allowed | Meaning |", "|---|---|---|---|"]
        names = [] if option.name == "app" else [*option.flags, option.flag]
        if option.kind is SWITCH:
            names.append(f"--no-{option.flag.removeprefix('--')}")
        flags = ", ".join(f"`{name}`" for name in names) or "the arguments"
        shown = option.show(option.default)
        default = f"`{shown}` {option.kind.unit}".rstrip() if shown else "none"
        help_text = option.help.replace("|", "\\|").replace("*", "\\*")
        lines.append(
            f"| **`{option.name}`**<br>{flags}<br>`{option.variable}` | {default} | {option.range} | {help_text} |"
        )
    return "\n".join(lines).lstrip("\n")


def document_with_tables() -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{rest.split(END)[1]}"


def test_document_lists_the_options_as_they_are() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document_with_tables(), "run: python -m tests.test_config"


if __name__ == "__main__":
    DOCUMENT.write_text(document_with_tables(), encoding="utf-8")
