"""The way to one real machine: what `docker compose up` would start."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.conf import settings

from onetteam.celery import app

ROOT = Path(settings.BASE_DIR)
OURS = ["web", "relay", "worker-critical", "worker-mail", "worker-bulk", "beat"]


@cache
def services() -> dict[str, dict[str, Any]]:
    """The services by name."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_every_process_is_there() -> None:
    assert set(services()) == {*OURS, "migrate", "postgres", "redis"}
    assert services()["relay"]["deploy"]["replicas"] == 2


def test_every_queue_has_a_worker() -> None:
    commands = [service.get("command", []) for service in services().values()]
    served = {command[command.index("-Q") + 1] for command in commands if "-Q" in command}
    assert served == {queue.name for queue in app.conf.task_queues}


@pytest.mark.parametrize("name", [*OURS, "postgres", "redis"])
def test_a_service_shows_its_health_and_comes_back(name: str) -> None:
    assert services()[name]["healthcheck"]["test"]
    assert services()[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [*OURS, "migrate", "postgres", "redis"])
def test_a_service_can_not_write_to_its_root(name: str) -> None:
    assert services()[name]["read_only"] is True


@pytest.mark.parametrize("name", [*OURS, "migrate"])
def test_our_processes_have_no_privileges(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # the image's, which is not root


def test_secrets_come_from_the_environment_and_are_demanded() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert f"${{{secret}:?" in text
        assert f"\n{secret}=\n" in (ROOT / ".env.example").read_text()


def test_redis_refuses_rather_than_evicts() -> None:
    assert "--maxmemory-policy noeviction" in " ".join(services()["redis"]["command"])


def test_what_compose_sets_is_read() -> None:
    read = (ROOT / "onetteam" / "settings.py").read_text() + (ROOT / "onetteam" / "celery.py").read_text()
    for name in services()["web"]["environment"]:
        assert f'"{name}"' in read, name


def test_the_image_runs_as_nobody_special_and_has_every_app() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)", dockerfile, re.M) == ["oneteam"]
    included = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    own = {Path(config.path).relative_to(ROOT).parts[0] for config in apps.get_app_configs() if is_ours(config.path)}
    assert own | {"static", "templates", "manage.py"} <= included


def is_ours(path: str) -> bool:
    """Whether an app belongs to this checkout rather than to a package in it."""
    return ROOT in Path(path).parents and ".venv" not in Path(path).parts
