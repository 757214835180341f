"""The operator's log: one line for each record, as JSON or as text, with secrets redacted.

A record about a build has the attribute `build`, a mapping of fields that identify the build.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from pythonjsonlogger import json as jsonlogger
from pythonjsonlogger.core import RESERVED_ATTRS

from imagebuild_operator.api.errors import ImageBuildError
from imagebuild_operator.api.redact import redact, redact_all

#: Innermost frames of an exception that are logged.
FRAMES: Final = 12
#: Attributes of records that are logged in another form, or not at all: ours, and those of kopf.
NOT_LOGGED: Final = ("build", "k8s_ref", "k8s_skip", "settings")


def configure(log_format: str, level: str) -> None:
    """Write the log to the standard error stream.

    Args:
        log_format: `json` or `plain`.
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # kopf logs a line for each watch event.
    for chatty in ("kopf.activities", "kopf.objects"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("asyncio").addFilter(is_logged)
    sys.excepthook = _uncaught


def is_logged(record: logging.LogRecord) -> bool:
    """Whether a record of asyncio is logged: not an error while it closes what is left of kopf's watches at the end.

    kopf leaves their generators to the event loop, and one whose connection breaks at the same moment cannot be closed.
    """
    return not record.getMessage().startswith("an error occurred during closing of asynchronous generator")


def about(namespace: str, name: str, **fields: object) -> dict[str, Any]:
    """Fields that identify a build, for the argument `extra` of a logger; empty ones are left out."""
    given = {"namespace": namespace, "name": name, **fields}
    return {"build": {field: value for field, value in given.items() if value}}


class JsonFormatter(jsonlogger.JsonFormatter):
    """Each record as one JSON object."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "severity", "name": "logger"},
            timestamp=True,
            reserved_attrs=[*RESERVED_ATTRS, *NOT_LOGGED],
            json_ensure_ascii=False,
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Collect the fields of a record; its exception becomes `error`, `stack` and, at level debug, `traceback`."""
        message_dict.pop("exc_info", None)
        super().add_fields(log_data, record, message_dict)
        log_data |= {"severity": record.levelname.lower(), **_build_fields(record)}
        error = _error(record)
        if error is not None:
            log_data["error"] = _one_line(error)
            if stack := _stack(error):
                log_data["stack"] = stack
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                log_data["traceback"] = "".join(traceback.format_exception(error))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Redact every field."""
        return redact_all(log_data)


class PlainFormatter(logging.Formatter):
    """Each record as one line of text; tracebacks at level debug only."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = _build_fields(record)
        where = "/".join(str(fields[name]) for name in ("namespace", "name") if name in fields)
        how = " ".join(str(fields[name]) for name in ("phase", "reason") if name in fields)
        line = f"{time} {record.levelname:<7} {': '.join(filter(None, (where, how, record.getMessage())))}"
        error = _error(record)
        if error is not None:
            stack = _stack(error)
            line += f" [{_one_line(error)}{' at ' + ' < '.join(stack) if stack else ''}]"
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                line += "\n" + "".join(traceback.format_exception(error)).rstrip()
        return redact(line)


def _build_fields(record: logging.LogRecord) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(record, "build", None) or {}
    if not found and (reference := getattr(record, "k8s_ref", None)):  # kopf's
        found = {name: reference[name] for name in ("kind", "namespace", "name", "uid") if reference.get(name)}
    return found


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _one_line(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(error)).split())


def _stack(error: BaseException) -> list[str]:
    """The innermost frames of an exception, the last call first; empty for errors that the operator raises itself."""
    if isinstance(error, ImageBuildError):
        return []
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in reversed(frames)]


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log the exception that ends the process."""
    logging.getLogger(__name__).critical(
        "The operator ends because of an unexpected exception", exc_info=(kind, error, trace)
    )
