"""Keeps the processes of one machine running: starts them, starts them again when they die, stops them all together."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

TICK_SECONDS = 0.1
GIVE_UP_SECONDS = 60
GIVE_UP_DEATHS = 5
GIVE_UP_DEATHS_AT_FIRST = 2  # what never ran yet is broken rather than unlucky
STOP_SECONDS = 30
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last when the terminal is closed


class GivingUp(Exception):
    """A process dies again and again; the text says which."""


@dataclass
class Child:
    """A process to keep running, in a process group of its own.

    One that `is_held` loads itself, then waits for a line on its standard input before it goes to work.
    """

    name: str
    command: Sequence[str]
    is_held: bool = False
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it, holding its standard input: that closes when we are gone, however we went."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)
        if not self.is_held:
            self.release()

    def release(self) -> None:
        """Let it go to work, now and after every later start."""
        self.is_held = False
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it died; that is noticed elsewhere
                self.process.stdin.write(b"\n")
                self.process.stdin.flush()

    def is_running(self) -> bool:
        """Whether it still runs; once it doesn't, what it started and left behind is killed."""
        if self.process is None:
            return False
        if self.process.poll() is None:
            return True
        self._signal_group(signal.SIGKILL)
        return False

    def terminate(self) -> None:
        """Ask it to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        if self.process is not None:
            self._signal_group(signal.SIGKILL)
            self.process.wait()

    def how_it_ended(self) -> str:
        """For people: `exit code 3` or `SIGKILL`."""
        assert self.process is not None
        code = self.process.returncode
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def _signal_group(self, number: signal.Signals) -> None:
        assert self.process is not None
        # macOS says "not permitted" of a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class Supervisor:
    """Runs children until it is told to stop or one of them can't be kept alive."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        # Called each second, for what isn't a child; what it raises ends the run.
        self.look_after: Callable[[], None] = lambda: None
        self.stopping = threading.Event()
        self._impatient = threading.Event()

    def catch_signals(self) -> None:
        """Stop on SIGTERM and SIGINT; at once when asked a second time."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def start(self, child: Child) -> None:
        """Start a child and keep it running during `run`."""
        self.children.append(child)
        child.start()

    def run(self, *, until: Callable[[], bool] | None = None) -> bool:
        """Keep the children running until a signal, or until `until()` is true. True in the second case."""
        looked = time.monotonic()
        while not self.stopping.wait(TICK_SECONDS):
            for child in self.children:
                if not child.is_running():
                    self._start_again(child, GIVE_UP_DEATHS_AT_FIRST if until else GIVE_UP_DEATHS)
            if time.monotonic() - looked >= 1:
                self.look_after()
                looked = time.monotonic()
            if until is not None and until():
                return True
        return False

    def stop(self) -> None:
        """Stop the children in order, those that don't listen by force."""
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.terminate()
        while any(child.is_running() for child in self.children):
            if self._impatient.is_set() or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        for child in self.children:
            child.kill()

    def _start_again(self, child: Child, limit: int) -> None:
        now = time.monotonic()
        child.deaths = [at for at in child.deaths if now - at < GIVE_UP_SECONDS] + [now]
        if len(child.deaths) >= limit:
            raise GivingUp(
                f"The {child.name} process ended {len(child.deaths)} times within {GIVE_UP_SECONDS} seconds, "
                f"the last time with {child.how_it_ended()}. What it said stands above."
            )
        sys.stderr.write(f"The {child.name} process ended with {child.how_it_ended()}; starting it again.\n")
        # The first time at once, then with growing patience, so that a broken machine isn't kept busy.
        self.stopping.wait(0.5 * (len(child.deaths) - 1))
        if not self.stopping.is_set():
            child.start()

    def _on_signal(self, number: int, frame: object) -> None:
        if self.stopping.is_set():
            self._impatient.set()
        self.stopping.set()


def stop_with_stdin() -> None:
    """For a child: end this process when the supervisor is gone, however it went; then our standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
