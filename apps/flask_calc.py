"""The calculator in Flask. It only routes."""

from flask import Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge

from apps import answers
from apps.calculator import DOCUMENT_BYTES, OPERATIONS

__all__ = ["app"]

app = Flask(__name__, static_folder=None)
app.config["MAX_CONTENT_LENGTH"] = DOCUMENT_BYTES
app.url_map.merge_slashes = False
# Flask's own OPTIONS would list the methods in the order of a set.
EXACT_METHODS = {"provide_automatic_options": False}


def response(answer: answers.Answer) -> Response:
    return Response(answer.body, answer.status, answer.headers)


@app.before_request
def refuse_what_werkzeug_forgives() -> Response | None:
    """Werkzeug reads `//calc` as `/calc` and `post` as `POST`; addresses and methods are exact here."""
    environ = request.environ
    if environ["PATH_INFO"].startswith("//"):
        return response(answers.NOT_FOUND)
    if not environ["REQUEST_METHOD"].isupper() and request.url_rule:
        return method_not_allowed(None)
    return None


@app.get("/", strict_slashes=False, **EXACT_METHODS)
def page() -> Response:
    return response(answers.PAGE)


@app.get(f"/<any({','.join(OPERATIONS)}):operation>/<first>/<second>", **EXACT_METHODS)
def calculation(operation: str, first: str, second: str) -> Response:
    return response(answers.calculation(operation, first, second))


@app.post("/calc", **EXACT_METHODS)
def calc() -> Response:
    return response(answers.document(request.get_data(cache=False)))


@app.errorhandler(NotFound)
def not_found(_: NotFound) -> Response:
    return response(answers.NOT_FOUND)


@app.errorhandler(MethodNotAllowed)
def method_not_allowed(_: MethodNotAllowed | None) -> Response:
    return response(answers.POST_ONLY if request.path == "/calc" else answers.GET_ONLY)


@app.errorhandler(RequestEntityTooLarge)
def too_large(_: RequestEntityTooLarge) -> Response:
    return response(answers.TOO_LARGE)
