"""Keeps the executor and crane from falling back to plain HTTP for a registry that is not listed as insecure.

Their library tries plain HTTP on its own for hosts that look local (name.Registry.Scheme of go-containerregistry), and
crane also where it does not verify a certificate. Credentials and the image would then be in the hands of whoever
answers. So such a registry has to show that it speaks TLS before one of them is started.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from kaniko_shim.net.proxies import connect
from kaniko_shim.net.tls import tls_context
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.connection_errors import in_go
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.processes.process import Ended

_TIMEOUT = Timeout(connect=10, read=20)


@dataclass(frozen=True, slots=True)
class TlsGuard:
    """Asks each registry once.

    Attributes:
        registries: the settings for registries.
        environment: proxies and CA bundles.
    """

    registries: Registries
    environment: Mapping[str, str] = field(repr=False)
    _speak_tls: set[str] = field(default_factory=set)

    def require(self, registries: Iterable[str], *, crane: bool) -> None:
        """Refuse each registry that would be reached by plain HTTP without being listed for it.

        Args:
            registries: `host[:port]` of each.
            crane: whether crane will be started, as opposed to the executor.

        Raises:
            JobError: RegistryTLS, RegistryUnavailable.
        """
        for registry in registries:
            unverified = registry in self.registries.skip_tls_verify
            if registry in self.registries.insecure or registry in self._speak_tls:
                continue
            if looks_local(registry) or (crane and unverified):
                self._require(registry, unverified=unverified)
                self._speak_tls.add(registry)

    def without_unreachable_mirrors(self) -> Registries:
        """The settings without local mirrors that do not answer, which the executor would try by plain HTTP as well.

        Raises:
            JobError: RegistryTLS; RegistryUnavailable if there would be none left, and nothing but mirrors is asked.
        """
        missed = list[JobError]()

        def answers(mirror: str) -> bool:
            try:
                self.require((mirror.partition("/")[0],), crane=False)
            except JobError as error:
                if error.failure.reason is Reason.REGISTRY_TLS:
                    raise
                missed.append(error)
                return False
            return True

        mirrors = tuple(filter(answers, self.registries.mirrors))
        maps = tuple(each for each in self.registries.maps if answers(each.mirror))
        if missed and self.registries.skip_fallback and not (mirrors or maps):
            raise missed[0]
        return replace(self.registries, mirrors=mirrors, maps=maps)

    def _require(self, registry: str, *, unverified: bool) -> None:
        base = f"https://{registry}"
        context = tls_context(self.environment, verify=not unverified)
        try:
            with connect(base, self.environment, context) as pool:
                # Whatever it answers, the handshake has succeeded.
                pool.request(
                    "GET", f"{base}/v2/", redirect=False, retries=False, timeout=_TIMEOUT, preload_content=False
                )
        except (HTTPError, ssl.SSLError) as error:
            evidence = Evidence(Ended(1), in_go(base, error), image=f"{registry}/", registry=registry)
            raise JobError.of(classify(evidence)) from error


def looks_local(registry: str) -> bool:
    """Whether the library of the executor and crane would try plain HTTP for a registry on its own."""
    host = (registry.rpartition(":")[0] or registry) if not registry.endswith("]") else registry
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith((".local", ".localhost")):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
