"""A Django application of one view that hashes the request's body as it reads it, for big_bodies.py.

The answer is `SHA-256 octets`. The view never holds more than a piece of the body: memory that grows is the server's.
"""

import hashlib

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

PIECE = 65536

settings.configure(
    ALLOWED_HOSTS=["*"], DEBUG=False, MIDDLEWARE=[], ROOT_URLCONF=__name__, SECRET_KEY="benchmark", USE_TZ=True
)
django.setup(set_prefix=False)


def upload(request: HttpRequest) -> HttpResponse:
    """Hash and count the body."""
    digest, octets = hashlib.sha256(), 0
    while piece := request.read(PIECE):
        digest.update(piece)
        octets += len(piece)
    return HttpResponse(f"{digest.hexdigest()} {octets}", content_type="text/plain")


urlpatterns: list[URLPattern] = [path("", upload)]
app = WSGIHandler()
