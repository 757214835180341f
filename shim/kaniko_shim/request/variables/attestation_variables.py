"""The variables of what is attached to an image that is pushed."""

import json

from kaniko_shim.request.scalars import parse_raw, parse_switch, parse_text
from kaniko_shim.request.variable import Variable
from kaniko_shim.system.subcommand import Command

_PUSHING = (Command.PUSH, Command.INDEX)


def _parse_object(text: str) -> dict[str, object] | None:
    if not text.strip():
        return None
    try:
        document: object = json.loads(text)
    except ValueError as error:
        raise ValueError("write a JSON object") from error
    if not isinstance(document, dict):
        raise ValueError("write a JSON object")  # noqa: TRY004 - a value of a variable
    return document


PROVENANCE = Variable(
    "PROVENANCE",
    "`true`: SLSA provenance is attached to the image, what it was built from and how: "
    "[Supply chain](supply-chain.md).",
    parse_switch,
    default="false",
    commands=_PUSHING,
)
SBOM = Variable(
    "SBOM",
    "`true`: a bill of materials (SPDX) is attached to the image: the packages of Debian, Alpine, Python and npm that "
    "it holds.",
    parse_switch,
    default="false",
    commands=(Command.PUSH,),
)
SIGNING_KEY = Variable(
    "SIGNING_KEY",
    "A private key that signs the image and what is attached to it, so that `cosign verify --key` accepts them: PEM as "
    "OpenSSL (ECDSA P-256, Ed25519, RSA) or `cosign generate-key-pair` writes it.",
    parse_raw,
    commands=_PUSHING,
    secret=True,
)
SIGNING_KEY_PASSWORD = Variable(
    "SIGNING_KEY_PASSWORD",
    "The password of SIGNING_KEY, where it has one.",
    parse_raw,
    commands=_PUSHING,
    secret=True,
)
PROVENANCE_BUILDER = Variable(
    "PROVENANCE_BUILDER",
    "The builder image as the provenance names it, best by its digest.",
    parse_text,
    commands=_PUSHING,
)
PROVENANCE_INVOCATION = Variable(
    "PROVENANCE_INVOCATION",
    "What names this build where it ran, such as a URL or a uid, for the provenance.",
    parse_text,
    commands=_PUSHING,
)
PROVENANCE_PARAMETERS = Variable(
    "PROVENANCE_PARAMETERS",
    "What was asked for, a JSON object for the provenance, by one who knows. Without it: what `build` noted, which a "
    "RUN step could have changed.",
    _parse_object,
    default_note="what `build` noted",
    commands=_PUSHING,
)
ATTEST_TABLE: tuple[Variable[object], ...] = (
    PROVENANCE,
    SBOM,
    SIGNING_KEY,
    SIGNING_KEY_PASSWORD,
    PROVENANCE_BUILDER,
    PROVENANCE_INVOCATION,
    PROVENANCE_PARAMETERS,
)
