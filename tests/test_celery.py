"""Which queue a task's message goes to, with the broker that one machine uses."""

from collections.abc import Iterator

import pytest

from onetteam.celery import app


@pytest.fixture
def empty_queues() -> Iterator[None]:
    """Nothing waits before and after."""
    _take_all()
    yield
    _take_all()


def _take_all() -> dict[str, int]:
    """How many messages waited in which queue; none after this."""
    waiting = {}
    with app.connection_for_write() as connection:
        for queue in app.conf.task_queues:
            bound = queue(connection.default_channel)
            bound.declare()
            waiting[queue.name] = bound.purge()
    return waiting


@pytest.mark.usefixtures("empty_queues")
@pytest.mark.parametrize(
    ("name", "queue"),
    [
        ("events.tasks.deliver", "critical"),
        ("events.tasks.sweep", "critical"),
        ("notifications.tasks.send", "mail"),
        ("integrations.imports.tasks.load_chunk", "bulk"),
    ],
)
def test_a_message_goes_to_its_queue_and_no_other(name: str, queue: str) -> None:
    app.send_task(name)
    assert _take_all() == {"critical": 0, "mail": 0, "bulk": 0} | {queue: 1}
