"""How the log is written."""

from enum import StrEnum


class LogFormat(StrEnum):
    """The values of LOG_FORMAT."""

    TEXT = "text"
    JSON = "json"


def parse_log_format(text: str) -> LogFormat:
    """Read a log's format.

    Raises:
        ValueError: there is no such format.
    """
    try:
        return LogFormat(text.strip().lower())
    except ValueError as error:
        raise ValueError("write text or json") from error
