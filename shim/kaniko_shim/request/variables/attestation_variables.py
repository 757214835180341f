"""Variables of attestations and signatures."""

import re

from imagebuild_vocabulary.names import SIGNER_TOKEN

from kaniko_shim.corroborate.witness import Witness
from kaniko_shim.request.scalars import parse_raw, parse_switch, parse_text
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.sbom.formats import FORMATS, SPDX, SbomFormat
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.subcommand import Command

_PUSHING = (Command.PUSH, Command.INDEX)
_SIGNER = re.compile(r"https://(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
_SERVICE = re.compile(
    r"(?:https://[^/\s?#@]+|http://(?:[a-z0-9.-]+\.svc(?:\.[a-z0-9.-]+)?|127\.0\.0\.1)(?::[0-9]{1,5})?)(?:/[^\s?#]*)?"
)

_KMS = re.compile(r"(?:awskms|azurekms|gcpkms|hashivault)://[^\s?#@]+")


def _parse_signer(text: str) -> str:
    if text and not _SIGNER.fullmatch(text.strip()):
        raise ValueError("write https://HOST:PORT")
    return text.strip()


def _parse_service(text: str) -> str:
    if text and not _SERVICE.fullmatch(text.strip()):
        raise ValueError("write https://HOST, or http:// of a Service of the cluster (HOST ends with .svc)")
    return text.strip().rstrip("/")


def _parse_kms(text: str) -> str:
    if text and not _KMS.fullmatch(text.strip()):
        raise ValueError("write awskms://…, azurekms://…, gcpkms://… or hashivault://…, as for cosign --key")
    return text.strip()


def _parse_witness(text: str) -> Witness | None:
    document = _parse_object(text)
    return Witness.of(document) if document is not None else None


def _parse_sbom(text: str) -> SbomFormat | None:
    if form := FORMATS.get(text.strip()):
        return form
    try:
        return SPDX if parse_switch(text) else None
    except ValueError as error:
        raise ValueError(f"write {' or '.join(FORMATS)}, true or false") from error


def _parse_object(text: str) -> dict[str, object] | None:
    if not text.strip():
        return None
    try:
        document: object = load_json(text)
    except ValueError as error:
        raise ValueError("write a JSON object") from error
    if not isinstance(document, dict):
        raise ValueError("write a JSON object")  # noqa: TRY004 - a value of a variable
    return document


PROVENANCE = Variable(
    "PROVENANCE",
    "If `true`, SLSA provenance is attached to the image: what it was built from, and how ([supply "
    "chain](../how-to/supply-chain.md)).",
    parse_switch,
    default="false",
    commands=_PUSHING,
)
SBOM = Variable(
    "SBOM",
    "Format of the SBOM that is attached to the image: `SPDX` (or `true`), `CycloneDX`, or `false` for none. It lists "
    "the image's Debian, Alpine, Python and npm packages; where `scan` runs, all that Trivy finds.",
    _parse_sbom,
    default="false",
    commands=(Command.PUSH, Command.SCAN),
)
SIGNING_KEY = Variable(
    "SIGNING_KEY",
    "Private key that signs the image and its attestations, so that `cosign verify --key` accepts them. PEM, as "
    "written by OpenSSL (ECDSA P-256, Ed25519, RSA) or by `cosign generate-key-pair`.",
    parse_raw,
    commands=(*_PUSHING, Command.SIGN),
    secret=True,
)
SIGNING_KEY_PASSWORD = Variable(
    "SIGNING_KEY_PASSWORD",
    "Password of SIGNING_KEY, if it has one.",
    parse_raw,
    commands=(*_PUSHING, Command.SIGN),
    secret=True,
)
SIGNING_KMS = Variable(
    "SIGNING_KMS",
    "Key of a KMS that signs in the place of SIGNING_KEY, as `cosign --key` takes it: `awskms://…`, `azurekms://…`, "
    "`gcpkms://…` or `hashivault://…`. SIGNING_PUBLIC_KEY is its public key. cosign's image is mounted at "
    "`/kaniko/.cosign` and gets all variables.",
    _parse_kms,
    commands=(Command.SIGN,),
)
SIGNING_URL = Variable(
    "SIGNING_URL",
    "`https://HOST:PORT` of the cluster's signer (`kaniko-shim sign`), which signs in the place of SIGNING_KEY.",
    _parse_signer,
    commands=_PUSHING,
)
SIGNING_PUBLIC_KEY = Variable(
    "SIGNING_PUBLIC_KEY",
    "Public key of the signer, in PEM: nobody else gets the token, and its signatures are verified.",
    parse_raw,
    commands=(*_PUSHING, Command.SIGN),
    shown=False,
)
SIGNING_FULCIO_URL = Variable(
    "SIGNING_FULCIO_URL",
    "URL of the Fulcio that certifies a key of the moment for whom the token of SIGNING_TOKEN_FILE names, in the place "
    "of SIGNING_KEY ([keyless signing](../how-to/supply-chain.md#sign-without-a-key)).",
    _parse_service,
    commands=_PUSHING,
)
SIGNING_REKOR_URL = Variable(
    "SIGNING_REKOR_URL",
    "URL of the Rekor (version 2) that logs the signatures. Set it with SIGNING_FULCIO_URL.",
    _parse_service,
    commands=_PUSHING,
)
SIGNING_TIMESTAMP_URL = Variable(
    "SIGNING_TIMESTAMP_URL",
    "URL of the timestamp authority (RFC 3161), with its path. Set it with SIGNING_FULCIO_URL.",
    _parse_service,
    commands=_PUSHING,
)
SIGNING_TOKEN_FILE = Variable(
    "SIGNING_TOKEN_FILE",
    "File with the token that says who asks: the pod's for the audience `imagebuild-signer`, or, with "
    "SIGNING_FULCIO_URL, one for the audience `sigstore`.",
    parse_text,
    default=SIGNER_TOKEN,
    commands=_PUSHING,
)
PROVENANCE_BUILDER = Variable(
    "PROVENANCE_BUILDER",
    "Builder image as named in the provenance, preferably by digest.",
    parse_text,
    commands=_PUSHING,
)
PROVENANCE_INVOCATION = Variable(
    "PROVENANCE_INVOCATION",
    "Identifier of this build in the provenance, such as a URL or a UID.",
    parse_text,
    commands=_PUSHING,
)
PROVENANCE_PARAMETERS = Variable(
    "PROVENANCE_PARAMETERS",
    "Build parameters for the provenance, a JSON object from a source that can be trusted. If unset, the provenance "
    "has the parameters that `build` recorded, which a RUN step could have changed.",
    _parse_object,
    default_note="those that `build` recorded",
    commands=_PUSHING,
)
CORROBORATE = Variable(
    "CORROBORATE",
    "If `true`, the result has a sketch of what the image consists of (`contents`), to which another build of it can "
    "be compared.",
    parse_switch,
    default="false",
    commands=(Command.PUSH,),
)
CORROBORATED_BY = Variable(
    "CORROBORATED_BY",
    "An earlier build of the image: a JSON object with its `digest`, and with `contents`, `pod` and `node`, where it "
    "was. An image of another digest is not pushed; the message says in what they differ.",
    _parse_witness,
    commands=(Command.PUSH,),
)
ATTEST_TABLE: tuple[Variable[object], ...] = (
    PROVENANCE,
    SBOM,
    SIGNING_KEY,
    SIGNING_KEY_PASSWORD,
    SIGNING_KMS,
    SIGNING_URL,
    SIGNING_PUBLIC_KEY,
    SIGNING_FULCIO_URL,
    SIGNING_REKOR_URL,
    SIGNING_TIMESTAMP_URL,
    SIGNING_TOKEN_FILE,
    PROVENANCE_BUILDER,
    PROVENANCE_INVOCATION,
    PROVENANCE_PARAMETERS,
    CORROBORATE,
    CORROBORATED_BY,
)
