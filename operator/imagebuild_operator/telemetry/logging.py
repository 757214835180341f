"""The operator's log: one line for each record, as JSON or for people, without secrets.

A record about a build has the attribute `build`: what it is keyed by.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from imagebuild_operator.api.errors import ImageBuildError
from imagebuild_operator.api.redact import redact, redact_all

#: Frames that are named of an exception, the innermost ones.
FRAMES: Final = 12
#: What Google's, Elastic's and others' collectors understand.
SEVERITIES: Final[Mapping[int, str]] = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}


def configure(log_format: str, level: str) -> None:
    """Write the log to the standard error stream.

    Args:
        log_format: `json` or `plain`.
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Every event of a watch would be a line.
    for chatty in ("kopf.activities", "kopf.objects"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.excepthook = _uncaught


def about(namespace: str, name: str, **fields: object) -> dict[str, Any]:
    """What a record about a build is keyed by, as the argument `extra` of a logger; fields that are empty stay out."""
    given = {"namespace": namespace, "name": name, **fields}
    return {"build": {field: value for field, value in given.items() if value}}


class JsonFormatter(logging.Formatter):
    """Each record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of a record."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": SEVERITIES.get(record.levelno, record.levelname.lower()),
            "logger": record.name,
            "message": record.getMessage(),
            **_key(record),
        }
        error = _error(record)
        if error is not None:
            line |= {"error": _said(error), "stack": _stack(error)}
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                line["traceback"] = "".join(traceback.format_exception(error))
        known = {name: value for name, value in line.items() if value not in (None, [])}
        return json.dumps(redact_all(known), ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """Each record as one line to read; tracebacks at level debug only."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of a record."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        key = _key(record)
        where = "/".join(str(key[field]) for field in ("namespace", "name") if field in key)
        how = " ".join(str(key[field]) for field in ("phase", "reason") if field in key)
        line = f"{time} {record.levelname:<7} {': '.join(filter(None, (where, how, record.getMessage())))}"
        error = _error(record)
        if error is not None:
            stack = _stack(error)
            line += f" [{_said(error)}{' at ' + ' < '.join(stack) if stack else ''}]"
            if logging.getLogger().isEnabledFor(logging.DEBUG):
                line += "\n" + "".join(traceback.format_exception(error)).rstrip()
        return redact(line)


def _key(record: logging.LogRecord) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(record, "build", None) or {}
    if not found and (reference := getattr(record, "k8s_ref", None)):  # kopf's
        found = {name: reference[name] for name in ("kind", "namespace", "name", "uid") if reference.get(name)}
    return found


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _said(error: BaseException) -> str:
    """One line."""
    return " ".join("".join(traceback.format_exception_only(error)).split())


def _stack(error: BaseException) -> list[str]:
    """Where it comes from, the innermost frame first; nothing for what is expected to happen."""
    if isinstance(error, ImageBuildError):
        return []
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in reversed(frames)]


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of the process."""
    logging.getLogger(__name__).critical("The operator ends", exc_info=(kind, error, trace))
