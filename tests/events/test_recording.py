"""The door through which events are written, and what holds for them afterwards."""

import pytest
from django.db import IntegrityError, connection, transaction

from events import names
from events.models import Delivery, DeliveryState, Event
from events.recording import OutsideTransaction, record
from tests.events.conftest import NOW, OweEvent, happen
from tests.events.handlers import HANDLER


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(OutsideTransaction):
        record(names.IMPORT_FINISHED, actor=None, about=Event(pk=0), now=NOW)
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_an_unknown_name_is_refused() -> None:
    with transaction.atomic(), pytest.raises(LookupError, match="Unknown event"):
        record("imports.vanished", actor=None, about=Event(pk=0), now=NOW)


def test_an_event_owes_one_delivery_to_each_handler(owe: OweEvent) -> None:
    delivery = owe()
    assert (delivery.handler, delivery.state, delivery.attempts) == (HANDLER, DeliveryState.PENDING, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("subscribed")
def test_an_event_whose_transaction_is_rolled_back_owes_nothing() -> None:
    with transaction.atomic():
        record(names.IMPORT_FINISHED, actor=None, about=Event(pk=0), now=NOW)
        transaction.set_rollback(True)
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rewrite",
    ["update events_event set name = 'forged'", "delete from events_event", "truncate events_event cascade"],
)
def test_events_can_not_be_rewritten(rewrite: str) -> None:
    happen()
    with connection.cursor() as cursor:
        cursor.execute("set local oneteam.allow_truncate = 'off'; set constraints all immediate")  # as outside tests
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(rewrite)
    assert Event.objects.count() == 1
