"""Who workers are."""

import grp
import os
import pwd
import signal
import tempfile
from pathlib import Path

import pytest

from tests.process import curl, running
from tests.supervision.master import until
from wsgiraw.errors import ConfigError
from wsgiraw.privileges import Privileges

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

SOURCE = """
import os

def app(environ, start_response):
    start_response("200 OK", [])
    with open("made", "w"):
        mode = os.stat("made").st_mode & 0o777
    return [f"{os.getuid()} {os.geteuid()} {os.getgid()} {sorted(os.getgroups())} {mode:o}".encode()]
"""


def test_names_and_numbers() -> None:
    me = pwd.getpwuid(os.geteuid())
    mine = Privileges.named(me.pw_name, None, "027")
    assert (mine.user, mine.group, mine.name, mine.umask) == (me.pw_uid, me.pw_gid, me.pw_name, 0o027)
    group = grp.getgrgid(os.getegid())
    assert Privileges.named(str(me.pw_uid), group.gr_name, None).group == group.gr_gid
    assert Privileges.named(None, None, None) == Privileges()


@pytest.mark.parametrize(
    ("user", "group", "message"),
    [
        ("nobody_at_all", None, "user 'nobody_at_all' does not exist"),
        (None, "no_such_group", "group 'no_such_group' does not exist"),
        (str(2**40), None, "user '1099511627776' does not exist"),
        (None, str(2**40), "group '1099511627776' does not exist"),
    ],
)
def test_who_does_not_exist(user: str | None, group: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Privileges.named(user, group, None)


@needs_root
@pytest.mark.parametrize("workers", [0, 2])
def test_workers_are_somebody_else_and_reopen_their_logs(workers: int) -> None:
    nobody = pwd.getpwnam("nobody")
    options = ("--user=nobody", "--umask=077", "--access-logfile=access", "--error-logfile=errors", "--pid=pid")
    with tempfile.TemporaryDirectory() as name:  # pytest's own are closed to others
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "who.py").write_text(SOURCE)
        with running(folder, "who:app", "--port=0", f"--workers={workers}", *options) as process:
            url = f"http://127.0.0.1:{process.port()}"
            uid, gid = nobody.pw_uid, nobody.pw_gid
            assert curl(url) == f"{uid} {uid} {gid} [{gid}] 600"
            (folder / "access").rename(folder / "access.1")
            process.signal(signal.SIGUSR1)

            def written() -> bool:
                curl(url)
                return (folder / "access").exists() and bool((folder / "access").read_text())

            until(written, "the new log is used")
            assert (folder / "access").stat().st_uid == uid
            assert process.stop() == 0
            assert not (folder / "pid").exists()
