"""The web entry point. Refuses to start without a secret."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# Checked once at start, rather than at the first request.
if not settings.SECRET_KEY or not settings.FIELD_ENCRYPTION_KEY:
    raise ImproperlyConfigured("SECRET_KEY and FIELD_ENCRYPTION_KEY must be set; see .env.example.")
