"""The format of the log."""

from enum import StrEnum


class LogFormat(StrEnum):
    """The values of LOG_FORMAT."""

    TEXT = "text"
    JSON = "json"


def parse_log_format(text: str) -> LogFormat:
    """Parse a log format.

    Raises:
        ValueError: the format is unknown.
    """
    try:
        return LogFormat(text.strip().lower())
    except ValueError as error:
        raise ValueError("write text or json") from error
