"""An ImageBuildDefaults or ClusterImageBuildDefaults as a value, and why it can't be in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from imagebuild_vocabulary.names import CLUSTER_DEFAULTS_KIND, DEFAULTS_KIND, DEFAULTS_NAME

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.redact import redact
from imagebuild_operator.defaults.rules import complete, values_for_builds

#: The least that a build says, to read the defaults as part of one.
_BUILD: Final[Body] = {
    # Pinned, as limits.level has it.
    "source": {"http": {"url": "https://example.com/context.tar", "sha256": "0" * 64}},
    "output": {"images": ["example.com/app"]},
}


@dataclass(frozen=True, slots=True)
class DefaultsObject:
    """One object that sets defaults.

    Attributes:
        namespace: The namespace of an ImageBuildDefaults; empty for a ClusterImageBuildDefaults.
        name: Its name; only an object named `default` is in force.
        uid: Its uid.
        version: Its resourceVersion; the higher, the newer.
        generation: Its `metadata.generation`.
        spec: Its spec, as the API server holds it.
        status: Its recorded status.
        problem: Why it can't be in force, as a sentence that names the field; empty if it can.
    """

    namespace: str
    name: str
    uid: str
    version: int
    generation: int
    spec: Body
    status: Body = field(default_factory=dict)
    problem: str = ""

    @property
    def kind(self) -> str:
        """Its kind."""
        return DEFAULTS_KIND if self.namespace else CLUSTER_DEFAULTS_KIND

    @property
    def has_right_name(self) -> bool:
        """Whether it has the only name that is used."""
        return self.name == DEFAULTS_NAME


def parse_defaults(body: Body) -> DefaultsObject:
    """Read an ImageBuildDefaults or ClusterImageBuildDefaults as the API server holds it."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    return DefaultsObject(
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        generation=metadata.get("generation", 1),
        spec=spec,
        status=body.get("status") or {},
        problem=find_problem(spec),
    )


def find_problem(spec: Body) -> str:
    """Say why defaults with this spec can't be in force; empty if they can.

    The values are recorded in the status of every build, so they must not hold credentials; and a build must be able to
    use them.
    """
    for path, text in _texts("spec", spec):
        if redact(text) != text:
            return (
                f"{path} holds what looks like a credential, and would be copied into the status of builds: put it "
                "into a Secret and refer to that."
            )
    try:
        parse_spec(complete(_BUILD, values_for_builds(spec)))
    except InvalidSpecError as error:
        return f"{error.path.replace('spec.output.', 'spec.')}: {error.problem}."
    return ""


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(f"{path}.{key}" if str(key).isidentifier() else f"{path}[{key}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(f"{path}[{index}]", item)
