"""The same calculator four times: as plain WSGI, in Flask, in Django and in Pyramid. Not part of the package."""
