"""Unix sockets and descriptors that a parent process left open."""

import os
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.listening import dial, listening
from wsgiraw import ConfigError
from wsgiraw.net import adopt, listen

# Unix sockets


def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listening(f"unix:{path}", mode=0o640) as (listener,):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert (listener.url(tls=False), listener.port) == (f"unix:{path}", 0)
        assert (listener.server_name, listener.server_port) == ("localhost", "80")
        with dial(socket.AF_UNIX, str(path)):
            accepted = listener.accept()
            assert accepted is not None
            accepted[0].close()
            assert accepted[1:] == ("", "")
    assert not path.exists()


def test_newcomers_are_refused_and_who_is_queued_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with listening(f"unix:{path}") as (listener,), dial(socket.AF_UNIX, path) as queued:
        listener.refuse_newcomers()
        with pytest.raises(ConnectionRefusedError):
            dial(socket.AF_UNIX, path)
        queued.sendall(b"hello")
        accepted = listener.accept()
        assert accepted is not None
        with accepted[0] as connection:
            assert connection.recv(5) == b"hello"
        assert listener.accept() is None


def test_the_file_goes_with_whoever_it_belongs_to(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listening(f"unix:{path}") as (theirs,):
        visitor = adopt(f"unix:{path}", os.dup(theirs.socket.fileno()))
        visitor.close()
        assert path.exists()
        heir = adopt(f"unix:{path}", os.dup(theirs.socket.fileno()), theirs.inode)
        theirs.let_be()
        theirs.close()
        assert path.exists()
        heir.close()
        assert not path.exists()


def test_a_stale_unix_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with listening(f"unix:{path}"):
        dial(socket.AF_UNIX, str(path)).close()


@pytest.mark.parametrize("full", [False, True])
def test_a_live_unix_socket_is_left_alone(tmp_path: Path, full: bool) -> None:
    """Even one whose queue is full, where connecting would wait."""
    path = tmp_path / "s"
    with listening(f"unix:{path}", backlog=0), ExitStack() as stack:
        if full:
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    client.connect(str(path))
                    client = stack.enter_context(socket.socket(socket.AF_UNIX))
                    client.setblocking(False)
        with pytest.raises(ConfigError, match="another server listens on this socket"):
            listen(f"unix:{path}", 8, 0o600)
        assert path.exists()


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_anything_else_in_its_place_is_left_alone(tmp_path: Path, what: str) -> None:
    path = tmp_path / "s"
    if what == "file":
        path.write_text("mine")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to("/nowhere")
    with pytest.raises(ConfigError, match="a file that is not a socket is there: remove it"):
        listen(f"unix:{path}", 8, 0o600)
    assert path.is_symlink() or path.exists()


def test_no_folder_for_a_unix_socket(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on unix:.*: No such file or directory"):
        listen(f"unix:{tmp_path}/none/s", 8, 0o600)


def test_closing_leaves_a_successors_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listening(f"unix:{path}"):
        path.rename(tmp_path / "moved")
        with listening(f"unix:{path}") as (successor,):
            pass
        successor = listen(f"unix:{path}", 8, 0o600)[0]
    assert path.exists()
    successor.close()
    assert not path.exists()


def test_closing_when_somebody_has_removed_the_socket(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with listening(f"unix:{folder}/s"):
        (folder / "s").unlink()
    with listening(f"unix:{folder}/s"):
        (folder / "s").unlink()
        folder.rmdir()


def test_a_forked_process_leaves_the_file_to_its_parent(tmp_path: Path) -> None:
    source = f"""if True:
        import os
        from wsgiraw.net import adopt, listen
        [listener] = listen("unix:{tmp_path}/s", 8, 0o600)
        if os.fork() == 0:
            listener.close()
            os._exit(0)
        os.wait()
        print(os.path.exists("{tmp_path}/s"))
        listener.close()
        print(os.path.exists("{tmp_path}/s"))
    """
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


# Inherited descriptors


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_inherited_listener(family: int, tmp_path: Path) -> None:
    with socket.socket(family) as parents:
        parents.bind(("127.0.0.1", 0) if family == socket.AF_INET else str(tmp_path / "s"))
        parents.listen()
        with listening(f"fd://{parents.fileno()}") as (listener,), dial(family, parents.getsockname()):
            accepted = listener.accept()
            assert accepted is not None
            accepted[0].close()
        dial(family, parents.getsockname()).close()  # the parent still listens
    assert family == socket.AF_INET or (tmp_path / "s").exists()


@pytest.mark.usefixtures("settled")
def test_descriptors_that_do_not_listen(tmp_path: Path) -> None:
    with socket.socket() as idle, (tmp_path / "file").open("w") as file:
        before = os.listdir("/proc/self/fd")  # noqa: PTH208
        with pytest.raises(ConfigError, match="the descriptor is not a listening socket"):
            listen(f"fd://{idle.fileno()}", 8, 0)
        with pytest.raises(ConfigError, match=f"cannot listen on fd://{file.fileno()}: .*[Ss]ocket"):
            listen(f"fd://{file.fileno()}", 8, 0)
        with pytest.raises(ConfigError, match="cannot listen on fd://999999: Bad file descriptor"):
            listen("fd://999999", 8, 0)
        assert os.listdir("/proc/self/fd") == before  # noqa: PTH208
