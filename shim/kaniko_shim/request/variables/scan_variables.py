"""Variables of `scan`: which vulnerabilities keep an image from being pushed."""

from kaniko_shim.request.scalars import parse_raw, parse_switch, split_list
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.scan.findings import Severity
from kaniko_shim.system.subcommand import Command

_SCANNING = (Command.SCAN,)


def _parse_severity(text: str) -> Severity:
    try:
        return Severity[text.strip().upper()]
    except KeyError:
        raise ValueError("write Low, Medium, High or Critical") from None


def _parse_names(text: str) -> frozenset[str]:
    return frozenset(split_list(text, ","))


SCAN_SEVERITY = Variable(
    "SCAN_SEVERITY",
    "Least severity of a vulnerability that keeps the image from being pushed: `Low`, `Medium`, `High` or `Critical`. "
    "`scan` expects Trivy's image in `/kaniko/.scanner`, its database in `/kaniko/.vulnerabilities`, and the layout.",
    _parse_severity,
    default="High",
    commands=_SCANNING,
)
SCAN_ONLY_FIXED = Variable(
    "SCAN_ONLY_FIXED",
    "If `true`, a vulnerability counts only if there is a version of the package without it.",
    parse_switch,
    default="false",
    commands=_SCANNING,
)
SCAN_IGNORE = Variable(
    "SCAN_IGNORE",
    "Names of vulnerabilities that do not count, separated by commas.",
    _parse_names,
    commands=_SCANNING,
)
SCAN_OPENVEX = Variable(
    "SCAN_OPENVEX",
    "An OpenVEX document, in JSON, that says which vulnerabilities do not affect the image.",
    parse_raw,
    commands=_SCANNING,
)
REQUIRE_SCAN = Variable(
    "REQUIRE_SCAN",
    "If `true`, only an image is pushed that `scan` has let pass; what it found is attached to the image.",
    parse_switch,
    default="false",
    commands=(Command.PUSH,),
)
SCAN_TABLE: tuple[Variable[object], ...] = (
    *(SCAN_SEVERITY, SCAN_ONLY_FIXED, SCAN_IGNORE, SCAN_OPENVEX),
    REQUIRE_SCAN,
)
