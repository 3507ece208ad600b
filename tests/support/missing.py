"""What the machine doesn't have: skipped with the reason on a laptop, a failure in CI."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where `CI=true` promises that everything is there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} With CI=true that is a failure.", pytrace=False)
    pytest.skip(reason)
