"""Test databases, copied from a template that was migrated once for these migrations."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg2 import sql
from pytest_django import DjangoDbBlocker

LOCK = 0x7E57


class Names:
    """This worker's databases: one for tests, one for those that run OneTeam as processes of its own."""

    quiet = ""
    live = ""
    wanted = "quiet"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Choose the database before any fixture can touch one."""
    Names.wanted = "live" if "live_app" in getattr(item, "fixturenames", ()) else "quiet"
    _use_wanted()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Back to the usual database, once all fixtures have tidied up."""
    try:
        return (yield)
    finally:
        Names.wanted = "quiet"
        _use_wanted()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Databases of this worker's own. In place of pytest-django's, which would migrate in every worker."""
    # One server may serve several checkouts.
    mine = hashlib.sha256(os.environ.get("ONETEAM_DATA_DIR", str(settings.BASE_DIR)).encode()).hexdigest()[:8]
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    names = [f"test_oneteam_{mine}_{worker}", f"test_oneteam_{mine}_{worker}_live"]
    with django_db_blocker.unblock():
        server = str(connection.settings_dict["NAME"])
        with _administration(server) as cursor:
            cursor.execute("select pg_advisory_lock(%s)", [LOCK])
            template = _template(cursor, f"test_oneteam_{mine}_template")
            for name in names:
                _create(cursor, name, template)
            cursor.execute("select pg_advisory_unlock(%s)", [LOCK])
        Names.quiet, Names.live = names
        _use_wanted()
    yield
    with django_db_blocker.unblock():
        Names.quiet = Names.live = ""
        _use(server)
        with _administration(server) as cursor:
            for name in names:
                _drop(cursor, name)


def _template(cursor: "psycopg2.extensions.cursor", prefix: str) -> str:
    """The database with all migrations applied; made if these migrations are new."""
    template = f"{prefix}_{_fingerprint()}"
    cursor.execute("select datname from pg_database where datname like %s", [prefix + "%"])
    existing = [row[0] for row in cursor.fetchall()]
    if template in existing:
        return template
    for old in existing:
        _drop(cursor, old)
    building = f"{prefix}_new"
    _create(cursor, building, "template1")
    _use(building)
    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as migrations:
        # Set up long ago: tests choose their own days, and some rules look at what came after a migration.
        migrations.execute("update django_migrations set applied = '2020-01-01'")
    connection.close()
    # Under its final name only once it is complete.
    cursor.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(building), sql.Identifier(template)))
    return template


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
        # Permissions and content types, which `migrate` writes, come from the models.
        digest.update(",".join(model._meta.label for model in app.get_models()).encode())
    return digest.hexdigest()[:12]


def _create(cursor: "psycopg2.extensions.cursor", name: str, template: str) -> None:
    _drop(cursor, name)
    cursor.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))


def _drop(cursor: "psycopg2.extensions.cursor", name: str) -> None:
    """Drop it, whoever is connected; the server's own vacuum, which nobody may end, is waited for."""
    for attempts_left in range(40, -1, -1):
        try:
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            return
        except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectInUse):
            if not attempts_left:
                raise
            time.sleep(0.5)


def _use_wanted() -> None:
    name = getattr(Names, Names.wanted)
    if name and connection.settings_dict["NAME"] != name:
        _use(name)


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name


@contextmanager
def _administration(database: str) -> "Iterator[psycopg2.extensions.cursor]":
    parameters = connection.get_connection_params() | {"dbname": database}
    administration = psycopg2.connect(
        **{k: v for k, v in parameters.items() if k not in ("cursor_factory", "context", "options")}
    )
    administration.autocommit = True
    try:
        with administration.cursor() as cursor:
            yield cursor
    finally:
        administration.close()


def database_url(name: str = "") -> str:
    """Address of a database, by default the one that this test uses, for processes of its own."""
    parameters = connection.get_connection_params()
    if name:
        parameters["dbname"] = name
    given = {k: v for k, v in parameters.items() if k in ("dbname", "user", "password", "host", "port")}
    return psycopg2.extensions.make_dsn(**given)
