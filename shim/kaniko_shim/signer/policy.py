"""What the signer signs, and for whom. Pure.

A pod of a build asks, with a token that names it. What it may have signed follows from what the operator wrote into
that pod, which the operator has recorded as the build's in a status that no tenant can write.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from imagebuild_vocabulary.names import CONTAINERS, INDEX, KIND, PUSH, SCAN, SIGNER_AUDIENCE, UPLOAD

from kaniko_shim.attest.artifact import dump
from kaniko_shim.attest.claims import settle
from kaniko_shim.attest.envelope import statement_in
from kaniko_shim.attest.provenance import ProvenanceInputs, provenance, record_in
from kaniko_shim.attest.simplesigning import payload_of
from kaniko_shim.attest.statement import PROVENANCE, SIGNATURE, VULNERABILITIES, statement
from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.request.push_request import read_provenance_inputs
from kaniko_shim.request.request import read_outputs
from kaniko_shim.request.variables.variable_reader import VariableReader
from kaniko_shim.sbom.formats import FORMATS
from kaniko_shim.system.json_text import load_json

_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"
_PREFIX: Final = "system:serviceaccount:"

_OWN: Final = frozenset({*CONTAINERS, UPLOAD})
# Not a set: a tenant can send as a type what has no hash.
_SBOMS: Final = tuple(form.predicate_type for form in FORMATS.values())
_WORDS: Final = {
    PROVENANCE: "provenance",
    VULNERABILITIES: "scan",
    SIGNATURE: "signature",
    **dict.fromkeys(_SBOMS, "SBOM"),
}
_UNAUTHORIZED, _FORBIDDEN, _CONFLICT = 401, 403, 409

_Body = Mapping[str, Any]


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        status: the HTTP status. 409: it may be granted a moment later.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True, slots=True)
class Caller:
    """The pod that a token is bound to."""

    namespace: str
    pod: str
    uid: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pod may have signed.

    Attributes:
        build: namespace and name of its build.
        repositories: `registry/path` of the images.
        inputs: what the provenance says.
        is_index: whether the pod pushes an index of images.
        is_scanned: whether the pod scans the image for vulnerabilities.
    """

    build: str
    repositories: frozenset[str]
    inputs: ProvenanceInputs
    is_index: bool
    is_scanned: bool = False


def caller_of(review: _Body) -> Caller:
    """The pod of a reviewed token.

    Raises:
        RefusedError: the token is not for the signer, or of no pod.
    """
    status = review.get("status") or {}
    user = status.get("user") or {}
    extra = user.get("extra") or {}
    names, uids = extra.get(_POD_NAME) or [], extra.get(_POD_UID) or []
    username = str(user.get("username") or "")
    if not status.get("authenticated") or SIGNER_AUDIENCE not in (status.get("audiences") or ()):
        raise RefusedError(_UNAUTHORIZED, f"the token is not valid for the audience {SIGNER_AUDIENCE}")
    if len(names) != 1 or len(uids) != 1 or not username.startswith(_PREFIX):
        raise RefusedError(_FORBIDDEN, "the token is bound to no pod")
    return Caller(username.removeprefix(_PREFIX).partition(":")[0], str(names[0]), str(uids[0]))


def build_of(caller: Caller, pod: _Body) -> str:
    """The name of the ImageBuild that a pod says it belongs to.

    Raises:
        RefusedError: it is another pod than the token's, or says nothing.
    """
    metadata = pod.get("metadata") or {}
    if metadata.get("uid") != caller.uid:
        raise RefusedError(_FORBIDDEN, "the pod of the token is gone")
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner.get("kind") == KIND:
            return str(owner.get("name"))
    raise RefusedError(_FORBIDDEN, f"pod {caller.pod} belongs to no {KIND}")


def grant_of(caller: Caller, pod: _Body, build: _Body) -> Grant:
    """What a pod may have signed.

    Args:
        caller: the pod of the token.
        pod: the pod, as the API server has it.
        build: the ImageBuild that it says it belongs to.

    Raises:
        RefusedError: the operator did not make it for this build.
    """
    name = f"{caller.namespace}/{(build.get('metadata') or {}).get('name')}"
    if (caller.pod, caller.uid) not in _recorded(build.get("status") or {}):
        # It is recorded right after it is created; anybody could have made a pod that is not.
        raise RefusedError(_CONFLICT, f"the status of {name} does not name pod {caller.pod}")
    spec = pod.get("spec") or {}
    if spec.get("ephemeralContainers"):
        raise RefusedError(_FORBIDDEN, f"a container for debugging was added to pod {caller.pod}")
    for container in spec.get("containers") or ():
        if container.get("name") in {PUSH, INDEX}:
            reader = VariableReader(dict(_environment(container)))
            outputs, inputs = read_outputs(reader), read_provenance_inputs(reader)
            # The only part of a container that can be changed after it was made. Others are what admission has added.
            for each in (*(spec.get("initContainers") or ()), *spec["containers"]):
                if each.get("name") in _OWN and not _is_builder(str(each.get("image")), inputs.builder_image):
                    raise RefusedError(_FORBIDDEN, f"the image of a container of pod {caller.pod} was changed")
            repositories = frozenset(f"{each.registry}/{each.repository}" for each in outputs)
            is_scanned = any(each.get("name") == SCAN for each in spec.get("initContainers") or ())
            return Grant(name, repositories, inputs, container["name"] == INDEX, is_scanned)
    raise RefusedError(_FORBIDDEN, f"pod {caller.pod} pushes nothing")


def _is_builder(image: str, builder: str) -> bool:
    """Whether an image is the builder's: by its digest, where there is one, wherever admission has it pulled from."""
    _, at, digest = builder.partition("@")
    return image.endswith(f"@{digest}") if at else image == builder


def check(message: bytes, grant: Grant, now: str) -> str:
    """What a message says, if a pod may have it signed: a word for it, the image and its digest.

    Args:
        message: what a signature is asked for.
        grant: what the pod may have signed.
        now: RFC 3339.

    Raises:
        RefusedError: it says anything else than what the operator and the pushed image say.
    """
    said = statement_in(message)
    try:
        document = load_json(message if said is None else said)
        if said is None:
            critical = document["critical"]
            repository = critical["identity"]["docker-reference"]
            digest, kind = critical["image"]["docker-manifest-digest"], "signature"
            is_whole = message == payload_of(repository, digest)
        else:
            (subject,) = document["subject"]
            repository, digest = subject["name"], f"sha256:{subject['digest']['sha256']}"
            kind = document["predicateType"]
            is_whole = dump(statement(repository, digest, kind, document["predicate"])) == said
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(_FORBIDDEN, "only statements about images are signed") from error
    if not is_whole or not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise RefusedError(_FORBIDDEN, "only statements about one image, as push writes them, are signed")
    if not isinstance(repository, str) or repository not in grant.repositories:
        raise RefusedError(_FORBIDDEN, f"{grant.build} has no image in {repository}")
    witness = grant.inputs.witness
    if witness is not None and witness.digest != digest:
        raise RefusedError(_FORBIDDEN, f"the first build of {grant.build} has made {witness.digest}")
    if said is not None:
        _check_predicate(kind, document["predicate"], grant, now)
    return f"{_WORDS.get(kind, kind)} of {repository}@{digest}"


def _check_predicate(kind: str, predicate: _Body, grant: Grant, now: str) -> None:
    if kind == PROVENANCE:
        problem = _provenance_problem(predicate, grant, now)
        if problem:
            raise RefusedError(_FORBIDDEN, f"the provenance is not that of {grant.build}: {problem}")
    elif kind == SIGNATURE:
        if predicate:
            raise RefusedError(_FORBIDDEN, "the statement of a signature says nothing else")
    elif grant.is_index or not (kind in _SBOMS or (kind == VULNERABILITIES and grant.is_scanned)):
        raise RefusedError(_FORBIDDEN, f"statements of the type {kind} are not signed")


def _provenance_problem(predicate: _Body, grant: Grant, now: str) -> str:
    """In what the predicate differs from the one that the signer would write; empty if in nothing."""
    if grant.inputs.parameters is None:
        return "the pod has no parameters of it"
    try:
        record, versions = record_in(predicate)
        if not grant.is_index:
            record = settle(record, grant.inputs.parameters, now)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return str(error)
    own = dump(provenance(record, grant.inputs, versions))
    return "" if own == dump(predicate) else "it says something else than the spec, or more"


def _recorded(status: _Body) -> Iterator[tuple[object, object]]:
    """Name and uid of the pods that the operator has recorded, of the build and its platforms."""
    for entry in (status, *(status.get("platforms") or ())):
        if entry.get("podName") and entry.get("podUID"):
            yield entry["podName"], entry["podUID"]


def _environment(container: _Body) -> Iterator[tuple[str, str]]:
    """The variables of a container that have their values in the pod; those of Secrets have not."""
    for variable in container.get("env") or ():
        if isinstance(variable.get("value"), str):
            yield str(variable["name"]), variable["value"].replace("$$", "$")
