"""Frameworks under a mount prefix, over real sockets: they route below it, and the URLs they make begin with it."""

from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from tests.apps.conftest import Application, application, tool
from tests.wire import PATIENCE
from wsgiraw import Mount, Server

NAMES = ("native", "flask", "django", "pyramid")


def flask_site() -> Application:
    flask = tool("flask")
    site = flask.Flask("site")
    site.add_url_rule("/item/<int:number>", "item", lambda number: flask.url_for("item", number=number))
    loaded: Application = site
    return loaded


def django_site() -> Application:
    application("django")  # configures Django, once per process
    urls = tool("django.urls")
    http = tool("django.http")

    class Site(tool("django.core.handlers.wsgi").WSGIHandler):  # type: ignore[misc]
        """A project that answers each request with a URL of its own."""

        def get_response(self, request: Any) -> Any:
            return http.HttpResponse(urls.reverse("calculation", args=("add", "1", "2")))

    return Site()


def pyramid_site() -> Application:
    config = tool("pyramid.config").Configurator()
    response = tool("pyramid.response").Response
    config.add_route("item", "/item/{number}")
    config.add_view(
        lambda request: response(request.route_path("item", number=request.matchdict["number"])), route_name="item"
    )
    loaded: Application = config.make_wsgi_app()
    return loaded


def read(server: Server, path: str) -> str:
    with urlopen(server.url + path, timeout=PATIENCE) as response:
        return str(response.read().decode())


def test_all_four_side_by_side() -> None:
    sites = {"/" if name == "native" else f"/{name}": application(name) for name in NAMES}
    with Server(Mount(sites), port=0) as server:
        for prefix in ("", "/flask", "/django", "/pyramid"):
            assert read(server, f"{prefix}/add/2/3") == "5"


@pytest.mark.parametrize(
    ("site", "expected"),
    [(flask_site, "/shop/item/7"), (django_site, "/shop/add/1/2"), (pyramid_site, "/shop/item/7")],
)
def test_made_urls_begin_with_the_prefix(site: Callable[[], Application], expected: str) -> None:
    with Server(Mount({"/": application("native"), "/shop": site()}), port=0) as server:
        assert read(server, "/shop/item/7") == expected
