"""Waiting for a server that speaks TLS; that of others is in test_process.py."""

import ssl
from pathlib import Path

from apps.native_calc import app
from tests.tls.certificates import Authority
from wsgiraw import Server
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.servers.readiness import wait_until_it_answers


def test_waits_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=authority.certfile)
    ready = Wanted("GET", "/add/2/3").octets("127.0.0.1", keep_alive=False)
    with Server(app, port=0, **authority.server.options) as server:
        wait_until_it_answers("127.0.0.1", server.port, ready, 30, lambda: True, trusting)
