"""Background work on imports, on the queue `bulk`."""

from celery import shared_task
from django.utils import timezone

from integrations.imports.models import Import
from integrations.imports.services import running
from integrations.imports.services.cleaning import clean_up

# Below the task's soft time limit, with room for the last chunk.
SECONDS = 25


@shared_task(name="integrations.imports.tasks.work")
def work() -> None:
    """Every other second: carry the oldest running import on. Ticks that meet take turns, a chunk each."""
    imported = Import.objects.running().order_by("pk").first()
    if imported is not None:
        running.advance(imported=imported, now=timezone.now(), seconds=SECONDS)


@shared_task(name="integrations.imports.tasks.clean")
def clean() -> None:
    """Daily: files of imports that nobody finished go."""
    clean_up(now=timezone.now())
