"""How registries are reached: plain HTTP, unverified certificates, mirrors and maps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RegistryMap:
    """Images of `host` are fetched from `mirror` instead."""

    host: str
    mirror: str


@dataclass(frozen=True, slots=True)
class Registries:
    """Everything that a request says about registries.

    Attributes:
        insecure: hosts that speak plain HTTP.
        skip_tls_verify: hosts whose certificate is not verified.
        mirrors: Docker Hub's mirrors, tried in order.
        maps: mirrors of other registries, tried in order.
        ca_bundle: certificates (PEM) that registries are verified with in addition to the system's, or empty.
        skip_fallback: mirrors and maps only, never the registry itself.
    """

    insecure: tuple[str, ...] = ()
    skip_tls_verify: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    maps: tuple[RegistryMap, ...] = ()
    skip_fallback: bool = False
    ca_bundle: str = ""

    def is_lenient(self, registry: str) -> bool:
        """Whether a registry may be reached without a verified certificate."""
        return registry in self.insecure or registry in self.skip_tls_verify
