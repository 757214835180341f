"""A build that fails in one way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from standalone.container import UNLIMITED, Limits

#: How errors of the registries begin, or what they are.
MANIFEST = "GET http://{answers}/v2/team/%s/manifests/1: "
UNAUTHORIZED = "UNAUTHORIZED: authentication required"
X509 = 'Get "https://{%s}/v2/": tls: failed to verify certificate: x509: '


@dataclass(frozen=True, eq=False)
class Failing:
    """A build that fails.

    Attributes:
        situation: the row of the shim's table that it proves.
        line: of the instruction that is to be named.
        mounts: where something else is mounted.
        wrong_password: whether there are credentials for {private}, which are wrong.
        shipped: what differs with the executor that ships.
    """

    situation: str
    dockerfile: str
    reason: str
    code: int
    message: str
    line: int = 0
    registry: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    limits: Limits = UNLIMITED
    wrong_password: bool = False
    shipped: Mapping[str, Any] = field(default_factory=dict)
