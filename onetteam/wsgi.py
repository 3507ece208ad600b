"""Django under WSGI, for `onetteam.asgi` and for other servers."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")

application = get_wsgi_application()
