"""Variables of `receive`: how long it waits for an upload, and how large that may be."""

from kaniko_shim.request.scalars import count_up_to, parse_sha256
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import Command

_RECEIVING = (Command.RECEIVE,)

UPLOAD_DEADLINE_SECONDS = Variable(
    "UPLOAD_DEADLINE_SECONDS",
    "Seconds, at most 86400, within which an upload must be complete.",
    count_up_to(24 * 3600),
    default="600",
    commands=_RECEIVING,
)
UPLOAD_MAX_BYTES = Variable(
    "UPLOAD_MAX_BYTES",
    "Maximum size of the uploaded archive in bytes, as it is sent.",
    count_up_to(1024**5),
    default="10737418240",
    commands=_RECEIVING,
)
UPLOAD_SHA256 = Variable(
    "UPLOAD_SHA256",
    "SHA-256 of the only archive that is accepted.",
    parse_sha256,
    default_note="any archive",
    commands=_RECEIVING,
)

UPLOAD_TABLE: tuple[Variable[object], ...] = (UPLOAD_DEADLINE_SECONDS, UPLOAD_MAX_BYTES, UPLOAD_SHA256)
