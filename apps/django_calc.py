"""The calculator in Django, in one file: settings, addresses and views. It only routes.

It has no middleware, no application and no database. Settings that another module has configured are left alone; their
ROOT_URLCONF must then be this module.
"""

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from apps import answers
from apps.calculator import DOCUMENT_BYTES, OPERATIONS

__all__ = ["app", "urlpatterns"]

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATA_UPLOAD_MAX_MEMORY_SIZE=DOCUMENT_BYTES,
        MIDDLEWARE=[],
        ROOT_URLCONF=__name__,
        USE_I18N=False,
        # Django alone would mail a traceback to nobody.
        LOGGING={
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler", "level": "ERROR"}},
            "loggers": {"django.request": {"handlers": ["stderr"]}},
        },
    )


def response(request: HttpRequest, answer: answers.Answer) -> HttpResponse:
    code, _, reason = answer.status.partition(" ")
    # Django leaves it to servers to send no body to HEAD; an exact application does not count on that.
    body = b"" if request.method == "HEAD" else answer.body
    return HttpResponse(body, status=int(code), reason=reason, headers=dict(answer.headers))


def exact_method(request: HttpRequest) -> str:
    """Return the method as it was sent: `request.method` would be POST for `post`."""
    return request.META["REQUEST_METHOD"]


def page(request: HttpRequest) -> HttpResponse:
    return response(request, answers.PAGE if exact_method(request) in ("GET", "HEAD") else answers.GET_ONLY)


def calculation(request: HttpRequest, operation: str, first: str, second: str) -> HttpResponse:
    if exact_method(request) not in ("GET", "HEAD"):
        return response(request, answers.GET_ONLY)
    return response(request, answers.calculation(operation, first, second))


def calc(request: HttpRequest) -> HttpResponse:
    if exact_method(request) != "POST":
        return response(request, answers.POST_ONLY)
    try:
        return response(request, answers.document(request.body))
    except RequestDataTooBig:
        return response(request, answers.TOO_LARGE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return response(request, answers.NOT_FOUND)


urlpatterns = [
    re_path(
        rf"^(?P<operation>{'|'.join(OPERATIONS)})/(?P<first>[^/]+)/(?P<second>[^/]+)\Z", calculation, name="calculation"
    ),
    re_path(r"^calc\Z", calc, name="calc"),
    re_path(r"^\Z", page, name="page"),
]
handler404 = not_found

app = get_wsgi_application()
