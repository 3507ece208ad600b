"""Celery runs the background work. It may lose or repeat anything: what is owed stands in PostgreSQL (events.Delivery).

`REDIS_URL` names the broker. Without it messages stay in memory, which is enough where relay, worker and beat are
threads of one process (`manage.py background`).
"""

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import setup_logging
from kombu import Connection, Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")

REDIS_URL = os.environ.get("REDIS_URL")
VISIBILITY_SECONDS = 300


class PersistentConnection(Connection):
    """Looks for a broker that has gone every five seconds; kombu's own pauses grow to half a minute."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Wait until there is a connection."""
        pauses = {"interval_start": 1, "interval_step": 1, "interval_max": 5}
        return super().ensure_connection(*args, **kwargs | pauses)


class Amqp(AMQP):
    """Celery's messaging with connections that come back quickly."""

    Connection = PersistentConnection


app = Celery("onetteam", broker=REDIS_URL or "memory://localhost//", amqp=Amqp)
app.set_default()  # "current" holds for one thread only; relay and workers must find the same app in theirs

app.conf.update(
    # --- queues: one worker process each, so that a long import never stands before an engagement
    # (with a routing key of its own each: the default key would bring every message to all three)
    task_queues=[Queue(name, Exchange("oneteam"), routing_key=name) for name in ("critical", "mail", "bulk")],
    task_routes={
        "events.tasks.*": {"queue": "critical"},
        "notifications.tasks.*": {"queue": "mail"},
    },
    task_default_queue="bulk",  # whoever forgets to choose waits in the slow lane
    task_default_exchange="oneteam",
    task_default_routing_key="bulk",
    task_create_missing_queues=False,  # a typing error in a queue name fails at once instead of waiting for nobody
    # --- delivery
    task_acks_late=True,  # acknowledged after the work: a killed worker's message comes back
    task_reject_on_worker_lost=True,  # without it a killed child acknowledges, and the message is lost
    task_ignore_result=True,  # effects stand in PostgreSQL; nobody reads a result
    task_serializer="json",
    accept_content=["json"],  # a pickled message could run code
    # --- limits
    task_soft_time_limit=45,  # seconds; longer jobs come in chunks with a cursor in the database
    task_time_limit=60,  # below the relay's lease, so that a repeat never meets the first run
    worker_prefetch_multiplier=1,  # nothing waits in a busy worker while another is idle
    worker_max_tasks_per_child=1000,  # whatever leaks, leaks for a while only
    # --- stopping
    worker_soft_shutdown_timeout=20,  # a deploy lets running tasks end (with REMAP_SIGTERM=SIGQUIT in the environment)
    worker_cancel_long_running_tasks_on_connection_loss=True,  # their message comes back anyhow; twice at once is worse
    # --- connections
    broker_connection_retry_on_startup=True,  # a worker may come up before Redis does
    broker_connection_max_retries=None,  # the default gives up, and the worker ends
    broker_pool_acquire_timeout=5,  # the default waits for ever
    broker_transport_options={
        "visibility_timeout": VISIBILITY_SECONDS,  # far above task_time_limit: shorter runs long tasks several times
        "unacked_restore_interval": 10,  # seconds between looks for messages of killed workers …
        "unacked_restore_throttle": 1,  # … at each of them; the default of every tenth makes it 90 seconds and more
        "socket_timeout": 5,  # else a black hole in the network hangs for over a minute
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,  # a dead connection is found while idle, not by the next message
        "global_keyprefix": "oneteam:",  # several installations may share a Redis
    }
    if REDIS_URL
    else {"polling_interval": 0.02},  # seconds; the memory transport polls, by default once a second
    visibility_timeout=VISIBILITY_SECONDS,  # Celery wants it under this name too
    redis_socket_timeout=5,
    redis_socket_connect_timeout=2,
    # --- beat: the schedule is code, kept in memory; a tick decides from the database what is due and may run twice
    beat_scheduler="celery.beat:Scheduler",
    beat_enable_remote_control=True,  # answers `celery inspect ping`, for health checks
    beat_schedule={
        "sweep": {"task": "events.tasks.sweep", "schedule": 15.0, "options": {"expires": 15}},
        "totals": {"task": "opportunities.tasks.fold_totals", "schedule": 60.0, "options": {"expires": 60}},
        "forecast": {"task": "opportunities.tasks.lock_forecast", "schedule": 900.0, "options": {"expires": 600}},
        "late reviews": {
            "task": "handoffs.tasks.escalate_late_reviews",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "pulses": {"task": "handoffs.tasks.ask_clients", "schedule": 600.0, "options": {"expires": 600}},
        "late approvals": {
            "task": "handoffs.tasks.remind_and_escalate",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "needs": {"task": "staffing.tasks.fill_needs", "schedule": 3600.0, "options": {"expires": 600}},
        "imports": {"task": "integrations.imports.tasks.work", "schedule": 2.0, "options": {"expires": 2}},
        "old imports": {"task": "integrations.imports.tasks.clean", "schedule": 86400.0, "options": {"expires": 3600}},
    },
    timezone="UTC",
    # --- logs are Django's
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)
app.autodiscover_tasks()


@setup_logging.connect
def _configure_logging(**_: object) -> None:
    from django.conf import settings

    dictConfig(settings.LOGGING)
