"""Authorities, made once, and servers that speak TLS on each strategy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Serve
from tests.tls.certificates import Authority
from tests.tls.clients import Trust
from wsgiraw import Server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Secure = Callable[..., Server]


@pytest.fixture(params=["handoff", "eventloop", "pooled", "threaded"])
def strategy(request: pytest.FixtureRequest) -> str:
    """Each strategy in turn; `forking` and `serial` have what `threaded` has, and are in test_requests.py."""
    return str(request.param)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that all trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(params=["TLSv1.2", "TLSv1.3"])
def version(request: pytest.FixtureRequest) -> str:
    """Each version of TLS in turn."""
    return str(request.param)


@pytest.fixture
def trust(authority: Authority) -> Trust:
    """A client that trusts the authority."""
    return Trust(authority)


@pytest.fixture
def secure(serve: Serve, authority: Authority) -> Secure:
    """Start servers with a certificate for localhost and 127.0.0.1: `secure(app, **options) -> Server`."""

    def start(application: "WSGIApplication", **options: object) -> Server:
        return serve(application, **{**authority.server.options, **options})

    return start
