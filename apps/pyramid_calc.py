"""The calculator in Pyramid. It only routes."""

from pyramid.config import Configurator
from pyramid.events import NewRequest
from pyramid.request import Request
from pyramid.response import Response

from apps import answers
from apps.calculator import DOCUMENT_BYTES, OPERATIONS

__all__ = ["app"]


def response(answer: answers.Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers.copy())


def replace_undecodable_octets(event: NewRequest) -> None:
    """Let a path that is not UTF-8 reach its route, where Pyramid itself would answer with a traceback.

    A line feed is replaced too: Pyramid's routes end in `$`, which would read `/calc%0A` as `/calc`.
    """
    environ = event.request.environ
    path = environ["PATH_INFO"]
    if not path.isascii() or "\n" in path:
        text = path.encode("latin-1").decode("utf-8", "replace").replace("\n", "\ufffd")
        environ["PATH_INFO"] = text.encode("utf-8").decode("latin-1")


def page(request: Request) -> Response:
    return response(answers.PAGE)


def calculation(request: Request) -> Response:
    return response(answers.calculation(**request.matchdict))


def calc(request: Request) -> Response:
    if (request.content_length or 0) > DOCUMENT_BYTES:
        return response(answers.TOO_LARGE)
    # Not `body`: WebOb would copy what is over 10 KiB to a temporary file, to be able to read it again.
    return response(answers.document(request.body_file.read()))


def get_only(request: Request) -> Response:
    return response(answers.GET_ONLY)


def post_only(request: Request) -> Response:
    return response(answers.POST_ONLY)


def not_found(request: Request) -> Response:
    return response(answers.NOT_FOUND)


with Configurator() as config:
    config.add_subscriber(replace_undecodable_octets, NewRequest)
    config.add_route("page", "/")
    config.add_route("calc", "/calc")
    config.add_route("calculation", f"/{{operation:{'|'.join(OPERATIONS)}}}/{{first}}/{{second}}")
    for route, method, view, refusal in (
        ("page", "GET", page, get_only),  # Pyramid's GET includes HEAD
        ("calc", "POST", calc, post_only),
        ("calculation", "GET", calculation, get_only),
    ):
        config.add_view(view, route_name=route, request_method=method)
        config.add_view(refusal, route_name=route)
    config.add_notfound_view(not_found)
    app = config.make_wsgi_app()
