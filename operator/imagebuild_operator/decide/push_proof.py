"""What a push proves: that later builds like it may push to the same repositories, so that they need not ask before.

The container `check` asks a registry before the build whether it would accept the image, and takes about a second. A
build that has pushed has had the answer. A password that breaks in between shows in `push`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from imagebuild_operator.api.build import BuildSpec, Proxy, Registry

#: The field of a pod that gives it an identity with a cloud registry.
ACCOUNT: Final = "serviceAccountName"


@dataclass(frozen=True, slots=True)
class PushProof:
    """A repository, and all that decides whether a build may push to it."""

    namespace: str
    repository: str
    secret: str | None
    service_account: Any
    registries: tuple[Registry, ...]
    proxy: Proxy | None


#: Those that a build needs, or gives when it succeeds.
PushProofs = Collection[PushProof]


def push_proofs(namespace: str, spec: BuildSpec) -> frozenset[PushProof]:
    """One proof for each repository of a build; none if it pushes nothing."""
    account = spec.pod_template.spec.get(ACCOUNT)
    return frozenset(
        PushProof(namespace, _repository(image), spec.push_secret, account, spec.registries, spec.proxy)
        for image in (spec.images if spec.push else ())
    )


def _repository(image: str) -> str:
    """A reference without its tag."""
    host, slash, path = image.rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}"
