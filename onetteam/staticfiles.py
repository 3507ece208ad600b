"""Static files: the front-end libraries' own files by name, and their names with a hash of the content."""

import builtins
import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder, get_finders
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage, Storage
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage


class LibraryFinder(BaseFinder):
    """Serves exactly the files of `settings.ONETEAM_LIBRARIES` from `node_modules`.

    A library's package holds fifty times what a page needs, so each file is named rather than each directory.
    """

    def __init__(self, app_names: Iterable[str] | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.root = Path(settings.BASE_DIR) / "node_modules"
        self.files: dict[str, str] = settings.ONETEAM_LIBRARIES

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Absolute path of a library's file, [] if `path` is none or isn't installed."""
        source = self.files.get(path)
        if source is None or not (self.root / source).is_file():
            return []
        found = str(self.root / source)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """The files to collect, under their public names."""
        for name, source in self.files.items():
            yield name, _SingleFile(self.root / source)

    def check(self, **kwargs: Any) -> builtins.list[CheckMessage]:
        """What is missing in `node_modules`."""
        missing = [source for source in self.files.values() if not (self.root / source).is_file()]
        if not missing:
            return []
        return [Error(f"Not in {self.root}: {', '.join(missing)}", hint="Run script/bootstrap.", id="onetteam.E001")]


class _SingleFile(FileSystemStorage):
    """Gives one file whatever name is asked, which is how a finder renames what it finds."""

    def __init__(self, source: Path) -> None:
        super().__init__(location=source.parent)
        self.source = source

    def path(self, name: str) -> str:
        return str(self.source)


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Hashed names that may be cached for ever. Source maps are not collected, so they are not looked for."""

    patterns = tuple(
        (glob, tuple(p for p in patterns if "sourceMappingURL" not in (p if isinstance(p, str) else p[0])))
        for glob, patterns in CompressedManifestStaticFilesStorage.patterns
    )


def collect_if_changed() -> bool:
    """Collect the static files unless they are the ones that were collected last; whether it was needed."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp = root / ".collected"
    with open(root / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _fingerprint()
        if stamp.exists() and stamp.read_text() == found:
            return False
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(found)
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{type(finder).__name__} {name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()
