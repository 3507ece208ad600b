"""Settings of the tests: a quick PostgreSQL of their own, cheap passwords, no built static files."""

import os

from onetteam import embedded

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("DATABASE_URL", embedded.database_url(fast=True))

from onetteam.settings import *  # noqa: F403
from onetteam.settings import DATABASES, PASSWORD_HASHERS, STORAGES

# Emptying the append-only tables is for tests alone; see the triggers' function.
DATABASES["default"]["OPTIONS"]["options"] += " -c oneteam.allow_truncate=on"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
