"""Logs: one line an event on standard error, as JSON for machines or plain for people."""

import re
from typing import Any

import structlog

# The token of a client's private page. Whoever reads it is in, so no line may carry it.
_PRIVATE = re.compile(r"(/c/)[^/\s\"'?#]{8,}")

# Before the format: what every line carries, whether it comes from structlog or from a library's plain logger.
SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide_private_links(_logger: Any, _name: str, line: Any) -> str:
    """The finished line without the tokens of private pages, wherever they came from: a path, a traceback, a mail."""
    return _PRIVATE.sub(r"\1…", str(line))


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    """A `logging.config` dictionary for this process."""
    render: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render, hide_private_links],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # A wrong address or a missing page is the visitor's matter; what breaks on our side is logged as an error.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
