"""The variables: what is read of them, that they are gone afterwards, and what is said where they make no sense."""

import os
import socket

import pytest

from wsgiraw.errors import ConfigError
from wsgiraw.systemd import ServiceManager

OURS = str(os.getpid())


def complain(message: str) -> None:
    raise AssertionError(message)


def test_none() -> None:
    environ = {"HOME": "/"}
    manager = ServiceManager(environ, complain)
    manager.ready("")
    manager.stopping()
    manager.close()
    assert (tuple(manager.sockets), manager.interval, manager.bequeath()) == ((), float("inf"), {})
    assert environ == {"HOME": "/"}


def test_those_of_another_process_are_removed() -> None:
    environ = {
        "LISTEN_PID": "1",
        "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": "a",
        "LISTEN_PIDFDID": "1",
        "WATCHDOG_PID": "1",
        "WATCHDOG_USEC": "1",
    }
    manager = ServiceManager(environ, complain)
    assert (tuple(manager.sockets), manager.interval, environ) == ((), float("inf"), {})


def test_half_the_time_is_the_interval() -> None:
    assert ServiceManager({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": OURS}, complain).interval == 15
    assert ServiceManager({"WATCHDOG_USEC": "3000000"}, complain).bequeath() == {"WATCHDOG_USEC": "3000000"}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"NOTIFY_SOCKET": "vsock:2:1"}, "NOTIFY_SOCKET 'vsock:2:1' is neither a path nor @NAME"),
        ({"WATCHDOG_USEC": "1s"}, "WATCHDOG_USEC '1s' is not a number"),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "-1"}, "LISTEN_FDS '-1' is not a number"),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"}, "LISTEN_FDNAMES 'a' does not name 2"),
        ({"LISTEN_PID": OURS, "LISTEN_FDS": "99999"}, "LISTEN_FDS says 99999, but descriptor"),
    ],
)
def test_nonsense(environ: dict[str, str], said: str) -> None:
    variables = dict(environ)
    with pytest.raises(ConfigError, match=said):
        ServiceManager(variables, complain)


def test_an_address_that_breaks_the_line_does_not_break_the_message() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0wsgiraw-line-{OURS}")
        heard.settimeout(20)
        manager = ServiceManager({"NOTIFY_SOCKET": f"@wsgiraw-line-{OURS}"}, complain)
        manager.ready("unix:a\nSTOPPING=1")
        assert heard.recv(1000) == b"READY=1\nSTATUS=unix:a STOPPING=1"
        manager.close()
