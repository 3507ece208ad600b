"""What every test may ask for. The machinery is in `tests/support/`."""

pytest_plugins = ["tests.support.databases", "tests.support.servers", "tests.support.browser", "tests.cast"]
