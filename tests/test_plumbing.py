"""The tests' own machinery: databases and servers."""

import pytest
from django.db import connection

from tests.support.servers import RedisServer


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
