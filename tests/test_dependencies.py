"""What the application imports is what its lock file installs."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
NOT_INSTALLED_WITH_IT = ("tests/", "benchmarks/", "script/")


def sources() -> list[Path]:
    """The application's own Python files."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if not name.startswith(NOT_INSTALLED_WITH_IT)]


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports when it runs, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def normal(name: str) -> str:
    """A distribution's name as lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_installed_without_the_developers_tools() -> None:
    locked = {normal(line.split("==")[0]) for line in (ROOT / "requirements/main.txt").open() if "==" in line}
    distributions = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        if path.exists()
        for name in imported(path) - set(sys.stdlib_module_names)
        if name in distributions and not {normal(d) for d in distributions[name]} & locked
    }
    assert missing == set()


def test_lock_files_hold_no_addresses() -> None:
    for path in [*ROOT.glob("requirements/*.txt"), ROOT / "package-lock.json", ROOT / ".npmrc"]:
        assert not re.search(r"https?://", path.read_text()), path


def test_every_pinned_package_has_hashes() -> None:
    for path in ROOT.glob("requirements/*.txt"):
        for requirement in re.split(r"\n(?=\S)", path.read_text().strip()):
            assert "--hash=sha256:" in requirement, (path.name, requirement)
