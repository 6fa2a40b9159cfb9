"""The hello application of the tutorials in Django; in a process of its own, since Django's settings are global."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a secret", USE_I18N=False)


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello world from Django!\n", content_type="text/plain")


urlpatterns = [path("hello", hello)]
app = get_wsgi_application()
