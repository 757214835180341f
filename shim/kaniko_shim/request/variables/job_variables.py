"""Variables of the job itself: log, trace and result."""

from kaniko_shim.log.format import parse_log_format
from kaniko_shim.request.scalars import count_up_to, parse_absolute
from kaniko_shim.request.traceparent import parse_trace_id
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import EVERY_COMMAND

HEARTBEAT_SECONDS = Variable(
    "HEARTBEAT_SECONDS",
    "Seconds of silence, at most 86400, after which the log says what the job is doing and since when.",
    count_up_to(24 * 3600),
    default="30",
    commands=EVERY_COMMAND,
)
LOG_FORMAT = Variable(
    "LOG_FORMAT",
    "Format of the log: `text`, or `json` for one object per line with `time`, `phase`, `stream` (`shim`, `executor` "
    "or `crane`) and `message`.",
    parse_log_format,
    default="text",
    commands=EVERY_COMMAND,
)
TRACEPARENT = Variable(
    "TRACEPARENT",
    "Trace that the job belongs to, in the format of [W3C Trace Context](https://www.w3.org/TR/trace-context/). Only "
    "the trace ID is used, and only in the log; a malformed value is ignored.",
    parse_trace_id,
    commands=EVERY_COMMAND,
)
RESULT_FILE = Variable(
    "RESULT_FILE",
    "File that the result is written to as one JSON object, in addition to the container's termination message.",
    parse_absolute,
    default_note="none",
    commands=EVERY_COMMAND,
)

JOB_TABLE: tuple[Variable[object], ...] = (
    HEARTBEAT_SECONDS,
    LOG_FORMAT,
    TRACEPARENT,
    RESULT_FILE,
)
