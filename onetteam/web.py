"""The web server: `python -m onetteam.web`, listening on ONETEAM_HOST and PORT.

A module rather than a management command, so that the parent of the workers needs no Django.
"""

import importlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from onetteam import embedded
from onetteam.supervisor import stop_with_stdin

STREAMS_PER_WORKER = 5_000
FILES = STREAMS_PER_WORKER + 1_000  # each stream is an open file; systems give 1,024 unless asked
STOP_SECONDS = 8  # until a worker that still answers somebody is killed


def main() -> None:
    """Serve until SIGTERM or SIGINT; with `--stop-with-stdin` also until standard input ends.

    With `--wait`, load what can be loaded without a database, then wait for a line on standard input.
    """
    if "--wait" in sys.argv and not _waited():
        return
    if "--stop-with-stdin" in sys.argv:
        stop_with_stdin()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    if not os.environ.get("DATABASE_URL"):
        embedded.running_server()  # workers leave it without a word; we stop it in the end if nobody else uses it
    if multiprocessing.get_start_method() == "fork":
        _application()  # once, for all workers
    server = Granian(
        "onetteam.asgi:application",
        address=os.environ.get("ONETEAM_HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT") or 8000),
        interface=Interfaces.ASGI,
        workers=int(os.environ.get("ONETEAM_WEB_WORKERS") or min(4, max(2, os.cpu_count() or 1))),
        backpressure=STREAMS_PER_WORKER,  # an open stream counts as a request; the threads limit the others
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels(os.environ.get("ONETEAM_WEB_LOG", "warning")),
    )
    server.serve(target_loader=_load, wrap_loader=False)


def _waited() -> bool:
    """Load Django and the pages, and wait; whether to go on. Static files may not be there before that."""
    if multiprocessing.get_start_method() == "fork":
        import django
        from django.conf import settings

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")
        django.setup()
        importlib.import_module(settings.ROOT_URLCONF)
    return bool(os.read(0, 1))


def _load() -> Callable[..., Any]:
    """Load the application in a worker, which ends when the server that started it is gone."""
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # a forked worker has the server's handlers, which would do nothing here

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        logging.getLogger("_granian").error("The web server was killed; its worker ends.")
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
    try:
        return _application()
    except BaseException:
        os.kill(parent, signal.SIGTERM)  # starting the worker again and again would not help
        raise


def _application() -> Callable[..., Any]:
    from onetteam.asgi import application

    return application


if __name__ == "__main__":
    main()
