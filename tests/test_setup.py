"""`manage.py serve`: what a person sees who starts OneTeam, and what is left when it has ended."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.servers import OneTeam, RedisServer, free_port

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def used_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which OneTeam ran once."""
    directory = tmp_path_factory.mktemp("used") / "data"
    assert OneTeam({"ONETEAM_DATA_DIR": str(directory)}).start().wait_until_ready().stop() == 0
    return directory


@pytest.fixture
def data(used_data: Path, tmp_path: Path) -> Path:
    """A copy of `used_data`, where `start()` starts OneTeam; as a rule a start need not make a new database."""
    subprocess.run(["cp", "-a", used_data, tmp_path / "data"], check=True)
    return tmp_path / "data"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., OneTeam]]:
    """Starts OneTeam with a data directory of this test's own."""
    started: list[OneTeam] = []

    def start_one(**environment: Any) -> OneTeam:
        values = {"ONETEAM_DATA_DIR": str(tmp_path / "data"), **environment}
        app = OneTeam({name: str(value) for name, value in values.items()})
        started.append(app)
        return app.start()

    yield start_one
    for app in started:
        app.kill()


def get(app: OneTeam, path: str) -> tuple[int, str]:
    """Status and body."""
    with urllib.request.urlopen(app.url + path, timeout=60) as answer:
        return answer.status, answer.read().decode()


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Until `condition()` is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def named(app: OneTeam, part: str) -> list[psutil.Process]:
    """The processes of `app` whose command holds `part`, children of children included."""
    found = []
    for process in app.family():
        try:
            if part in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_first_start_answers_and_the_second_finds_its_data(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    app = start().wait_until_ready()
    assert f"OneTeam is ready at http://127.0.0.1:{app.port}\n" in app.output
    assert "Nobody has an account yet" in "".join(app.output)
    assert get(app, "/healthz")[0] == 200
    assert '"status": "ready"' in get(app, "/readyz")[1]
    key = (tmp_path / "data" / "secret_key").read_text()
    assert app.stop() == 0

    again = start().wait_until_ready()
    assert '"status": "ready"' in get(again, "/readyz")[1]
    assert (tmp_path / "data" / "secret_key").read_text() == key


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopping_leaves_no_process(start: Callable[..., OneTeam], how: signal.Signals) -> None:
    app = start().wait_until_ready()
    family = app.family()
    assert len(family) >= 4  # PostgreSQL, web, its worker, background
    assert app.stop(how) == 0
    assert [process for process in family if process.is_running()] == []


@pytest.mark.usefixtures("data")
def test_stopping_does_not_wait_for_open_connections(start: Callable[..., OneTeam]) -> None:
    app = start().wait_until_ready()
    with socket.create_connection(("127.0.0.1", int(app.port))) as browser:
        browser.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        browser.recv(100)
        assert app.stop() == 0
    assert "refused to gracefully stop" not in "".join(app.output)


@pytest.mark.usefixtures("data")
def test_a_killed_supervisor_takes_everything_along(start: Callable[..., OneTeam]) -> None:
    app = start().wait_until_ready()
    family = app.family()
    app.process.kill()
    wait_for(lambda: not any(process.is_running() for process in family))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_stopping_during_the_first_start_leaves_no_process(start: Callable[..., OneTeam], how: signal.Signals) -> None:
    app = start()
    wait_for(lambda: "Preparing the database …\n" in app.output)
    family = app.family()
    assert len(family) >= 3  # PostgreSQL, web that waits, the preparation
    assert app.stop(how) == (-how if how == signal.SIGKILL else 0)
    wait_for(lambda: not any(process.is_running() for process in family))


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("part", ["onetteam.web", "background", "postgres -D"])
def test_what_is_killed_is_started_again(start: Callable[..., OneTeam], part: str) -> None:
    app = start().wait_until_ready()
    victim = named(app, part)[0]
    victim.kill()

    def is_back() -> bool:
        new = [process for process in named(app, part) if process.pid != victim.pid]
        try:
            return bool(new) and '"database": "up"' in get(app, "/readyz")[1]
        except OSError:
            return False

    wait_for(is_back)
    assert app.stop() == 0


@pytest.mark.usefixtures("data")
def test_what_never_runs_ends_with_the_reason(start: Callable[..., OneTeam]) -> None:
    app = start(ONETEAM_WEB_THREADS="0")
    assert app.wait() != 0
    assert "The web process ended 2 times" in "".join(app.output)
    assert "max_workers must be greater than 0" in "".join(app.output)


def test_a_killed_database_is_found_again_by_the_next_start(start: Callable[..., OneTeam], data: Path) -> None:
    app = start().wait_until_ready()
    family = [psutil.Process(app.process.pid), *app.family()]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)
    database = data / "postgres"
    # After a restart of the machine the recorded number belongs to anybody, here to somebody of the same account.
    anybody = subprocess.Popen(["sleep", "300"], user=database.stat().st_uid)
    try:
        for recorded in (database / "postmaster.pid", database / ".s.PGSQL.5432.lock"):
            if recorded.exists():  # the socket is elsewhere where the path is long
                recorded.write_text(recorded.read_text().replace(recorded.read_text().split()[0], str(anybody.pid), 1))
        again = start().wait_until_ready()
    finally:
        anybody.kill()
        anybody.wait()
    assert again.stop() == 0


def test_two_starts_at_once_share_the_database(start: Callable[..., OneTeam]) -> None:
    one, other = start(), start()
    one.wait_until_ready()
    other.wait_until_ready()
    assert one.stop() == 0
    assert '"database": "up"' in get(other, "/readyz")[1]
    assert other.stop() == 0


def test_a_long_data_directory_with_spaces_and_quotes_works(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    directory = tmp_path / ("our company's data, " * 6) / "and more"
    app = start(ONETEAM_DATA_DIR=directory).wait_until_ready()
    assert '"database": "up"' in get(app, "/readyz")[1]
    assert app.stop() == 0


def says(app: OneTeam, *parts: str) -> None:
    """It ended with an error, and one line holds all `parts`; nothing looks like a traceback."""
    assert app.wait() != 0
    said = "".join(app.output)
    assert "Traceback" not in said
    for part in parts:
        assert part in said, said


def test_a_busy_port_is_a_sentence(start: Callable[..., OneTeam]) -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        says(start(PORT=port), f"Port {port} is in use by another program.", "PORT=")


@pytest.mark.parametrize("port", ["99999", "http", "0"])
def test_an_impossible_port_is_a_sentence(start: Callable[..., OneTeam], port: str) -> None:
    says(start(PORT=port), "PORT must be a number from 1 to 65535", port)


def test_a_file_as_data_directory_is_a_sentence(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    says(start(), f"The data directory {tmp_path / 'data'} can't be used", "ONETEAM_DATA_DIR")


def test_a_broken_database_is_a_sentence(start: Callable[..., OneTeam], data: Path) -> None:
    (data / "postgres" / "global" / "pg_control").unlink()
    says(start(), "PostgreSQL could not start", "pg_control", "restore a backup")


def test_a_directory_with_something_else_is_a_sentence(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    (tmp_path / "data" / "postgres" / "thesis.doc").touch()
    says(start(), "holds files but no database")


def test_a_database_of_another_release_is_a_sentence(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    (tmp_path / "data" / "postgres" / "PG_VERSION").write_text("15\n")
    says(start(), "was made by PostgreSQL 15")


def test_a_database_server_that_does_not_answer_is_a_sentence(start: Callable[..., OneTeam]) -> None:
    says(start(DATABASE_URL=f"postgresql://127.0.0.1:{free_port()}/oneteam"), "does not answer", "DATABASE_URL")


@pytest.mark.parametrize("url", ["oneteam", "mysql://localhost/oneteam", "postgresql://localhost"])
def test_an_impossible_address_of_a_database_is_a_sentence(start: Callable[..., OneTeam], url: str) -> None:
    says(start(DATABASE_URL=url), "DATABASE_URL")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_data_directory_is_a_sentence(start: Callable[..., OneTeam], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    says(start(), "can't be used", "writable")


@pytest.mark.redis
@pytest.mark.usefixtures("data")
def test_a_real_broker_may_die_and_come_back(start: Callable[..., OneTeam], redis_server: RedisServer) -> None:
    def a_worker_waits() -> bool:
        return any(client["cmd"].upper() == "BRPOP" for client in redis_server.client.client_list())

    app = start(REDIS_URL=redis_server.url).wait_until_ready()
    wait_for(a_worker_waits)
    redis_server.kill()
    status, found = get(app, "/readyz")
    assert (status, '"broker": "down"' in found) == (200, True)
    redis_server.start()
    wait_for(a_worker_waits)
    assert app.stop() == 0
