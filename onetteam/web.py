"""The web server: `python -m onetteam.web`, listening on ONETEAM_HOST and PORT.

A module rather than a management command, so that the parent of the workers needs no Django.
"""

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

STREAMS_PER_WORKER = 5_000
FILES = STREAMS_PER_WORKER + 1_000  # each stream is an open file; systems give 1,024 unless asked
STOP_SECONDS = 8  # until a worker that still answers somebody is killed


def main() -> None:
    """Serve until SIGTERM or SIGINT; with `--stop-with-stdin` also until standard input ends."""
    if "--stop-with-stdin" in sys.argv:
        stop_with_stdin()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
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


def stop_with_stdin() -> None:
    """End this process when its parent is gone, also when that was killed: then our standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


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
