"""The tests' own machinery: databases and servers."""

import urllib.request

import pytest
from django.db import connection

from accounts.models import Organisation
from tests.support.servers import OneTeam, RedisServer


@pytest.mark.django_db
def test_database_is_not_the_real_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_database()")
        assert cursor.fetchone()[0].startswith("test_oneteam_")


@pytest.mark.redis
def test_redis_can_be_killed_and_started_again_empty(redis_server: RedisServer) -> None:
    redis_server.client.set("key", "value")
    redis_server.kill()
    redis_server.start()
    assert redis_server.client.get("key") is None


@pytest.mark.browser
def test_a_running_oneteam_sees_what_a_test_commits(live_app: OneTeam, organisation: Organisation) -> None:
    with urllib.request.urlopen(live_app.url + "/account/login/", timeout=20) as page:
        assert page.url.endswith("/account/login/")  # without an organisation it would be the set-up


@pytest.mark.django_db
def test_a_running_oneteam_is_apart_from_other_tests() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where datname = current_database()")
        assert cursor.fetchone()[0] == 1
    assert not Organisation.objects.exists()
