"""Relay, Celery workers and beat as threads of one process, for one machine."""

import logging
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.beat import Scheduler, Service
from celery.worker import WorkController
from celery.worker import state as worker_state
from django.core.management.base import BaseCommand
from django.db import connection

from events import relay
from onetteam.celery import Amqp, app
from onetteam.supervisor import stop_with_stdin

STOP_SECONDS = 20  # until a task that doesn't end is left alone; its delivery is repeated after the next start
# Apart, so that imports and mail never stand before an engagement.
WORKERS = {"critical": ["critical"], "rest": ["mail", "bulk"]}
THREADS_PER_WORKER = 3

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """`manage.py background`."""

    help = "Run relay, workers and beat in one process. On several machines run them singly instead."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How a supervisor ends it."""
        parser.add_argument("--stop-with-stdin", action="store_true", help="end when standard input does")

    def handle(self, **options: Any) -> None:
        """Work until SIGTERM or SIGINT, or until one of the threads fails: then end with exit code 1."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # From now on the embedded database has a user who stops it in the end, whatever becomes of the supervisor.
        connection.ensure_connection()
        if options["stop_with_stdin"]:
            stop_with_stdin()
        crew = Crew(stop)
        crew.run()
        if crew.failed:
            sys.exit(1)


def _app_of_its_own() -> Celery:
    """A Celery app with our settings and tasks. Which queues to consume is kept on the app: two workers need two."""
    own = Celery(app.main, broker=app.conf.broker_url, amqp=Amqp, set_as_current=False)
    own.conf.update(app.conf.changes or {})
    own.autodiscover_tasks()
    return own


class Crew:
    """The threads, which live and end together."""

    def __init__(self, stop: threading.Event) -> None:
        """`stop` ends the crew, and is set by it when one of the threads fails."""
        self.stop = stop
        self.failed = False
        self.workers = [
            WorkController(
                app=_app_of_its_own(),
                hostname=f"{name}@embedded",
                queues=queues,
                pool_cls="threads",
                concurrency=THREADS_PER_WORKER,
                use_eventloop=False,
                without_mingle=True,
                without_gossip=True,
                without_heartbeat=True,
            )
            for name, queues in WORKERS.items()
        ]
        self.beat = Service(app, scheduler_cls=Scheduler, max_interval=1)
        self.beat.remote_control = False  # type: ignore[attr-defined]  # new in Celery 5.7

    def run(self) -> None:
        """Start everything, wait until it should stop, and stop it in order."""
        threads = [
            *(self._thread(name, worker.start) for name, worker in zip(WORKERS, self.workers, strict=True)),
            self._thread("relay", lambda: relay.run(self.stop)),
            self._thread("beat", self.beat.start),
        ]
        self.stop.wait()
        self.beat.stop()
        # Each worker sees it in its own thread, between two messages; told from here, it would lose its broker midway.
        worker_state.should_stop = os.EX_OK  # type: ignore[assignment]  # None or a code
        for thread in threads:
            thread.join(STOP_SECONDS)
        if any(thread.is_alive() for thread in threads):
            log.warning("Some work did not end in time; it is repeated after the next start.")
            sys.stderr.flush()
            os._exit(1)

    def _thread(self, name: str, work: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Exception:
                log.exception("The %s thread failed", name)
            if not self.stop.is_set():
                self.failed = True
                self.stop.set()

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread
