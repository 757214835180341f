"""The variables of the job itself: its log, trace and result."""

from kaniko_shim.log.format import parse_log_format
from kaniko_shim.request.scalars import count_up_to, parse_absolute
from kaniko_shim.request.traceparent import parse_trace_id
from kaniko_shim.request.variable import Variable
from kaniko_shim.system.subcommand import EVERY_COMMAND

HEARTBEAT_SECONDS = Variable(
    "HEARTBEAT_SECONDS",
    "After how many seconds of silence a line says what the job is doing, and since when.",
    count_up_to(24 * 3600),
    default="30",
    commands=EVERY_COMMAND,
)
LOG_FORMAT = Variable(
    "LOG_FORMAT",
    "How the log is written: `text`, or `json`, an object a line with `time`, `phase`, `stream` (`shim`, `executor` or "
    "`crane`) and `message`.",
    parse_log_format,
    default="text",
    commands=EVERY_COMMAND,
)
TRACEPARENT = Variable(
    "TRACEPARENT",
    "The trace that the job is a part of, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) has it. Its id "
    "is written to the log, and goes nowhere else; a malformed one is ignored.",
    parse_trace_id,
    commands=EVERY_COMMAND,
)
RESULT_FILE = Variable(
    "RESULT_FILE",
    "A file that the result is written to, one JSON object, beside the container's termination message.",
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
