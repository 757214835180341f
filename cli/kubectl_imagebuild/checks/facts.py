"""What doctor knows of a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kubectl_imagebuild.cluster.installation import Installation
from kubectl_imagebuild.cluster.reader import Document, Found, Hidden, Several
from kubectl_imagebuild.explanation.decision import Explanation

#: Fields of the spec that this program may write.
FIELDS: Final = (
    "source.git",
    "source.inline",
    "source.upload",
    "contextDir",
    "dockerfile.path",
    "target",
    "buildArgs",
    "buildSecrets",
    "output.images",
    "output.platforms",
    "output.push",
    "output.pushSecretRef",
    "pullSecretRefs",
    "cache",
    "timeoutSeconds",
    "cancel",
)


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A right in the namespace.

    Attributes:
        verb: The verb.
        resource: The resource, with a subresource after a slash.
        group: Its API group.
    """

    verb: str
    resource: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator that builds the namespace.

    Attributes:
        installation: Its objects.
        lease: The Lease of its leader.
    """

    installation: Installation
    lease: Found = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A build of the least spec, checked by the API server as a dry run.

    Attributes:
        refusal: Why the API server refuses the ImageBuild; empty if it accepts it.
        explanation: What the operator would do with it; None if it is refused.
        notes: What is missing, or not known.
    """

    refusal: str = ""
    explanation: Explanation | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What doctor knows of a cluster.

    Attributes:
        namespace: The namespace.
        now: The current time, that of the API server where it is known.
        is_installed: Whether the API server has the resource imagebuilds.
        missing: Fields that the CRD lacks; None if its schema cannot be read.
        operators: All operators that the user can see.
        operator: The one that builds the namespace; None if there is none, or it cannot be seen.
        rights: Whether the user has each right.
        builds: The ImageBuilds of the namespace.
        trial: The least build.
        secrets: The Secrets to check, by name.
        nodes: The nodes of the cluster; read only where there is an operator.
    """

    namespace: str
    now: datetime
    is_installed: bool = True
    missing: tuple[str, ...] | None = ()
    operators: tuple[Installation, ...] | Hidden = ()
    operator: Operator | None = None
    rights: Mapping[Right, bool] = field(default_factory=dict)
    builds: Several = ()
    trial: Trial = field(default_factory=Trial)
    secrets: Mapping[str, Found] = field(default_factory=dict)
    nodes: Several = ()


def missing_fields(schema: Document) -> tuple[str, ...]:
    """The fields of this program that a schema of ImageBuild lacks.

    Args:
        schema: The OpenAPI schema of ImageBuild.
    """
    spec = (schema.get("properties") or {}).get("spec") or {}
    return tuple(path for path in FIELDS if not _has(spec, path))


def _has(schema: Document, path: str) -> bool:
    for name in path.split("."):
        found = (schema.get("properties") or {}).get(name)
        if found is None:
            return False
        schema = found
    return True
