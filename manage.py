#!/usr/bin/env python
"""Django's command-line entry point for OneTeam."""

import os
import sys


def main() -> None:
    """Run a management command with OneTeam's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onetteam.settings")
    if sys.argv[1:2] == ["serve"]:
        from onetteam import serve

        sys.exit(serve.main(sys.argv[2:]))  # it loads no Django itself; see there
    from django.core.management import execute_from_command_line

    from onetteam.wheel import EmbeddedDatabaseError

    try:
        execute_from_command_line(sys.argv)
    except EmbeddedDatabaseError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
