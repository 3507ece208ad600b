"""What every test may ask for. The machinery is in `tests/support/`."""

from onetteam.translations import compile_all

pytest_plugins = ["tests.support.databases", "tests.support.servers", "tests.support.browser", "tests.cast"]


def pytest_configure() -> None:
    """Have what clients read in German, also where only pytest is run."""
    compile_all()
