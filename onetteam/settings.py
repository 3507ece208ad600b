"""Settings of OneTeam, read from the environment once, failing loudly on what is wrong.

Environment (all optional; with DATABASE_URL or REDIS_URL unset the embedded ones are used):
SECRET_KEY, DATABASE_URL, REDIS_URL, EMAIL_URL, ONETEAM_MAIL_FROM, ONETEAM_URL, ONETEAM_DATA_DIR, ONETEAM_STATIC_ROOT,
ONETEAM_HOSTS, ONETEAM_ORIGINS, ONETEAM_SECURE, ONETEAM_PROXIES (how the site is reached),
ONETEAM_TIME_ZONE, ONETEAM_DEBUG, ONETEAM_LOG_FORMAT, ONETEAM_LOG_LEVEL, ONETEAM_WEB_THREADS, ONETEAM_STATEMENT_TIMEOUT.
"""

import contextlib
import datetime as dt
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from psycopg2.extensions import parse_dsn

from onetteam import embedded
from onetteam.logs import configure_structlog, logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = embedded.data_dir()
DEBUG = env.bool("ONETEAM_DEBUG", default=False)
# On when the site is served over HTTPS: secure cookies, HSTS and redirects.
ONETEAM_SECURE = env.bool("ONETEAM_SECURE", default=False)


def _secret_key() -> str:
    """The key from the environment, else one kept in the data directory."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    path = DATA_DIR / "secret_key"
    if not path.exists():
        embedded.require_writable(DATA_DIR)
        new = DATA_DIR / f"secret_key.{os.getpid()}"
        new.touch(mode=0o600)
        new.write_text(secrets.token_urlsafe(64))
        # Whoever starts at the same moment must end up with the same key: the first link wins.
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
        new.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS: list[str] = env.list("ONETEAM_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("ONETEAM_ORIGINS", default=[])

INSTALLED_APPS = [
    "accounts",
    "events",
    "opportunities",
    "staffing",
    "handoffs",
    "dashboards",
    "integrations.imports",
    "api",
    "onetteam",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "csp",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rules",
]

MIDDLEWARE = [
    "onetteam.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.FirstRunMiddleware",
    "accounts.middleware.PersonMiddleware",
]

ROOT_URLCONF = "onetteam.urls"
WSGI_APPLICATION = "onetteam.wsgi.application"
ASGI_APPLICATION = "onetteam.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "onetteam.context.shell",
            ],
            "libraries": {"lucide": "onetteam.templatetags.icons"},
        },
    },
]


# A statement that takes longer would keep a web thread or a worker from everybody else. Commands at a terminal
# (migrations, imports, backups) may take as long as they need.
_is_at_work = Path(sys.argv[0]).name != "manage.py" or sys.argv[1:2] in (["background"], ["relay"])
STATEMENT_TIMEOUT = env.str("ONETEAM_STATEMENT_TIMEOUT", default="15s" if _is_at_work else "0")
LOCK_TIMEOUTS = "-c lock_timeout=3s -c idle_in_transaction_session_timeout=30s" if _is_at_work else ""


# A row's people, account, stage and so on are joined by their keys: every order of those joins costs the same, and
# trying all orders of eight tables took longer than reading the rows.
PLANNING = "-c join_collapse_limit=4"


def _database(url: str) -> dict[str, Any]:
    """Django's description of a libpq address, so that sockets, sslmode and the like work as documented there."""
    given = parse_dsn(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname"),
        **{name.upper(): given.pop(name, "") for name in ("user", "password", "host", "port")},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT} {PLANNING} {LOCK_TIMEOUTS}".strip(),
            "application_name": "oneteam",
            **given,
        },
    }


DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASES: dict[str, Any] = {"default": _database(DATABASE_URL or embedded.address())}
if not DATABASE_URL:
    DATABASES["default"]["ENGINE"] = "onetteam.embedded_engine"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="")
# Counters of failed sign-ins and the like must hold across processes, and signing in must not depend on Redis.
_COUNTERS = {"MAX_ENTRIES": 20_000}  # the default of 300 would let visitors push one another's counters out
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "oneteam_cache",
        "OPTIONS": _COUNTERS,
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboards:home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.sign_in.LoginForm",
    "reset_password": "accounts.forms.sign_in.ResetPasswordForm",
    "reauthenticate": "accounts.forms.sign_in.ReauthenticateForm",
}
# Whoever follows a password link goes on to their home page (through the second factor, where they have one).
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True

# Such as smtp+tls://user:password@mail.example.com:587. Without a mail server, mail is shown in the terminal.
vars().update(env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://"))
EMAIL_TIMEOUT = 10
# Where people reach OneTeam, for links in mail.
ONETEAM_URL = (
    env.str("ONETEAM_URL", default="") or f"http://127.0.0.1:{env.str('PORT', default='') or '8000'}"
).rstrip("/")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("ONETEAM_MAIL_FROM", default="") or "OneTeam <oneteam@localhost>"

LANGUAGE_CODE = "en"
# Only what is translated completely: half of a page in the language of Django's own texts helps nobody.
LANGUAGES = [("en", "English")]
TIME_ZONE = env.str("ONETEAM_TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("ONETEAM_STATIC_ROOT", default=str(BASE_DIR / "build" / "static")))
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "onetteam.staticfiles.LibraryFinder",
]
# {% static %} name to file in node_modules; versions are in package-lock.json.
ONETEAM_LIBRARIES = {
    "vendor/htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/inter/inter-latin-wght-normal.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/sortable/Sortable.min.js": "sortablejs/Sortable.min.js",
    "vendor/tabler/css/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/js/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "onetteam.staticfiles.HashedStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = DATA_DIR / "files"

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ONETEAM_SECURE
CSRF_COOKIE_SECURE = ONETEAM_SECURE
CSRF_FAILURE_VIEW = "onetteam.errors.csrf_failure"
SECURE_SSL_REDIRECT = ONETEAM_SECURE
SECURE_HSTS_SECONDS = 31_536_000 if ONETEAM_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ONETEAM_SECURE
X_FRAME_OPTIONS = "DENY"
# How many proxies stand before us. Each adds the address it saw to X-Forwarded-For; anything before those is made up.
PROXIES = env.int("ONETEAM_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "api.openapi.Schema",
    "EXCEPTION_HANDLER": "api.errors.respond",
    "URL_FORMAT_OVERRIDE": None,
}
KNOX_TOKEN_MODEL = "api.Token"  # noqa: S105  # the name of a model
# Its only table is replaced by ours, and would stand empty beside it.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "TOKEN_TTL": dt.timedelta(days=30),
    # So that scanners for leaked secrets can tell what they found.
    "TOKEN_PREFIX": "oneteam_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OneTeam",
    "DESCRIPTION": "Sales and delivery as one team: the same rules, gates and history as the pages.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": ["api.openapi.closed_inputs"],
}

# Where events look up who reacts to them; a dotted path, because events/ imports nothing above itself.
ONETEAM_SUBSCRIPTIONS = "onetteam.subscriptions.SUBSCRIPTIONS"
# What a new organisation starts with, in this order; accounts/ makes it without importing what is above.
ONETEAM_DEFAULTS = [
    "opportunities.defaults.create",
    "staffing.defaults.create",
    "handoffs.defaults.create",
    "handoffs.defaults.demand_reviews",
]
# The address is unique whatever its capitals: a constraint on lower(email) sees to it.
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",
    "security.W021",  # preloading HSTS is a promise to browser makers, for the owner of the domain to give
]

# Requests that one web process answers at the same time, each with a database connection of its own.
ONETEAM_WEB_THREADS = env.int("ONETEAM_WEB_THREADS", default=10)

configure_structlog()
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    as_json=env.str("ONETEAM_LOG_FORMAT", default="plain" if sys.stderr.isatty() else "json") == "json",
    level=env.str("ONETEAM_LOG_LEVEL", default="WARNING"),
)
