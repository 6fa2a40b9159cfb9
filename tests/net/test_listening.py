"""Listening on TCP, accepting and leaving, on real sockets."""

import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator

import pytest

from tests.listening import dial, listening
from tests.strategies.applications import GET, hello
from tests.wire import exchange, read_all, replies
from wsgiraw import ConfigError, Server
from wsgiraw.net import Listener, OutOfDescriptors, abort, adopt, listen

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


# TCP


def test_ipv4() -> None:
    with listening("127.0.0.1:0") as (listener,):
        assert listener.url(tls=False) == f"http://127.0.0.1:{listener.port}"
        assert (listener.server_name, listener.server_port) == ("127.0.0.1", str(listener.port))
        assert listener.accept() is None
        with dial(socket.AF_INET, ("127.0.0.1", listener.port)) as client:
            accepted = listener.accept()
            assert accepted is not None
            connection, address, port = accepted
            with connection:
                assert (address, port) == ("127.0.0.1", str(client.getsockname()[1]))
                assert connection.getblocking() is False
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@needs_ipv6
def test_ipv6() -> None:
    with listening("[::1]:0") as (listener,):
        assert listener.url(tls=False) == f"http://[::1]:{listener.port}"
        assert listener.server_name == "[::1]"  # RFC 3875 §4.1.14
        with dial(socket.AF_INET6, ("::1", listener.port)):
            accepted = listener.accept()
            assert accepted is not None
            accepted[0].close()
            assert accepted[1] == "::1"
        with pytest.raises(ConnectionRefusedError):
            dial(socket.AF_INET, ("127.0.0.1", listener.port))


@needs_ipv6
@pytest.mark.parametrize("address", ["*:0", ":0"])
def test_every_address_of_both_families(address: str) -> None:
    with listening(address) as (listener,):
        assert listener.url(tls=False) == f"http://localhost:{listener.port}"
        assert listener.server_name == socket.gethostname()
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with dial(family, (host, listener.port)):
                accepted = listener.accept()
                assert accepted is not None
                accepted[0].close()
                assert accepted[1] == host  # not ::ffff:127.0.0.1


def test_every_address_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listening("*:0") as (listener,):
        assert listener.socket.getsockname()[0] == "0.0.0.0"


@needs_ipv6
def test_every_ipv6_address_only() -> None:
    with listening("[::]:0") as (listener,):
        dial(socket.AF_INET6, ("::1", listener.port)).close()
        with pytest.raises(ConnectionRefusedError):
            dial(socket.AF_INET, ("127.0.0.1", listener.port))


def test_a_name_with_several_addresses_has_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with listening("several:0") as listeners:
        assert [listener.socket.getsockname()[0] for listener in listeners] == ["127.0.0.1", "127.0.0.2"]
        assert len({listener.port for listener in listeners}) == 1


def test_an_address_that_this_machine_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """/etc/hosts may name ::1 where IPv6 is off: the others do; but one there must be."""
    hosts = ["127.0.0.1", "192.0.2.1"]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with listening("several:0") as listeners:
        assert len(listeners) == 1
    found.reverse()
    with pytest.raises(ConfigError, match="cannot listen on several:0: Cannot assign requested address"):
        listen("several:0", 8, 0)


@pytest.mark.usefixtures("settled")
def test_a_busy_port_is_said_and_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening("127.0.0.2:0") as (busy,):
        with pytest.raises(ConfigError, match=rf"cannot listen on 127.0.0.2:{busy.port}: Address already in use"):
            listen(f"127.0.0.2:{busy.port}", 8, 0)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, busy.port)) for host in ("127.0.0.1", "127.0.0.2")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        before = os.listdir("/proc/self/fd")  # noqa: PTH208
        with pytest.raises(ConfigError):
            listen(f"both:{busy.port}", 8, 0)
        assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on nowhere.invalid:0: .+"):
        listen("nowhere.invalid:0", 8, 0)


def test_nonsense() -> None:
    with pytest.raises(ConfigError, match="did you mean ':8000'"):
        listen("8000", 8, 0)


def test_a_restart_on_the_same_port_works_at_once() -> None:
    for strategy in ("eventloop", "serial"):
        port = 0
        for _ in range(5):
            with Server(hello, port=port, strategy=strategy, keep_alive=0.01) as server:
                port = server.port
                with dial(socket.AF_INET, ("127.0.0.1", port)) as client:
                    client.sendall(GET)
                    assert replies(read_all(client))[0].status == 200  # we close first: TIME_WAIT is ours


# Accepting


class Accepting(socket.socket):
    """A socket whose next accepts fail as told: what a kernel does not do on demand."""

    faults: list[int]

    def accept(self) -> tuple[socket.socket, object]:
        if self.faults:
            raise OSError(self.faults.pop(0), "told to")
        return super().accept()


@pytest.fixture
def faulty() -> Iterator[Listener]:
    sock = Accepting(socket.AF_INET, socket.SOCK_STREAM)
    sock.faults = []
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    listener = Listener(sock)
    yield listener
    listener.close()


def test_a_connection_that_was_aborted_in_the_queue_is_skipped(faulty: Listener) -> None:
    faulty.socket.faults = [errno.ECONNABORTED, errno.EPROTO, errno.EHOSTUNREACH]  # type: ignore[attr-defined]
    with dial(socket.AF_INET, ("127.0.0.1", faulty.port)):
        accepted = faulty.accept()
        assert accepted is not None
        accepted[0].close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_no_room_for_another_connection(faulty: Listener, number: int) -> None:
    faulty.socket.faults = [number]  # type: ignore[attr-defined]
    with pytest.raises(OutOfDescriptors, match=os.strerror(number)):
        faulty.accept()


def test_a_listener_that_was_shut_down(faulty: Listener) -> None:
    faulty.socket.shutdown(socket.SHUT_RDWR)
    assert faulty.accept() is None
    faulty.close()
    assert faulty.accept() is None


# Leaving


def test_abort_resets() -> None:
    with listening("127.0.0.1:0") as (listener,), dial(socket.AF_INET, ("127.0.0.1", listener.port)) as client:
        accepted = listener.accept()
        assert accepted is not None
        abort(accepted[0])
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        abort(accepted[0])  # it has gone already


def test_a_queue_of_connections_that_were_reset_is_served_through() -> None:
    with Server(hello, port=0) as server:
        for _ in range(50):
            client = dial(socket.AF_INET, ("127.0.0.1", server.port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        assert replies(exchange(server, GET))[0].status == 200


# Leaving a listening socket


@pytest.mark.skipif(sys.platform != "linux", reason="what this needs, only Linux has")
def test_newcomers_are_refused_and_who_is_queued_is_not() -> None:
    with listening("127.0.0.1:0") as (listener,):
        address = ("127.0.0.1", listener.port)
        with dial(socket.AF_INET, address) as queued, socket.socket() as newcomer:
            listener.refuse_newcomers()
            newcomer.settimeout(0.2)
            with pytest.raises(TimeoutError):
                newcomer.connect(address)
            queued.sendall(b"hello")
            accepted = listener.accept()
            assert accepted is not None
            with accepted[0] as connection:
                connection.setblocking(True)
                assert connection.recv(5) == b"hello"
                connection.sendall(b"hello")
                assert queued.recv(5) == b"hello"
            assert listener.accept() is None


def test_a_socket_that_was_lent_goes_on_to_accept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, listening(f"fd://{ours.fileno()}") as (listener,):
        listener.refuse_newcomers()
        dial(socket.AF_INET, ours.getsockname()).close()


def test_a_socket_of_another_process_is_adopted() -> None:
    with listening("127.0.0.1:0") as (theirs,):
        ours = adopt("127.0.0.1:0", os.dup(theirs.socket.fileno()))
        assert ours.url(tls=False) == theirs.url(tls=False)
        assert not ours.socket.get_inheritable()
        ours.close()
