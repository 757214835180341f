"""Runs crane, the registry client in the builder image."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.layout import sizes
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.classify import classify
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.evidence import Evidence
from kaniko_shim.outcome.registry_answer import is_missing
from kaniko_shim.outcome.result import PushedImage
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.plain_http import TlsGuard
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.process import Ended
from kaniko_shim.system.tool_environment import tool_environment

_TIMEOUT = 120
_PREFIX = "Error: "


@dataclass(frozen=True, slots=True)
class Crane:
    """crane, with its environment and the settings for registries.

    Attributes:
        paths: the builder's directories.
        environment: proxies and CA bundles.
        registries: the settings for registries.
        logins: the credentials; None: those that are installed.
    """

    paths: Paths
    environment: Mapping[str, str]
    registries: Registries
    logins: Logins | None = None
    _guard: TlsGuard = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Its guard remembers the registries that it has asked."""
        object.__setattr__(self, "_guard", TlsGuard(self.registries, self.environment))

    def command(self, registry: str, *arguments: str) -> Invocation:
        """A command for one registry, whose credentials are installed.

        crane has a single flag for plain HTTP and for unverified certificates; it is passed only for a registry that
        the request lists for one of them.

        Raises:
            JobError: RegistryUnauthorized; a credential helper that the Docker config names failed. RegistryTLS,
                RegistryUnavailable; it is reached by plain HTTP only, and is not listed for it.
        """
        self._guard.require((registry,), crane=True)
        if self.logins:
            self.logins.prepare(registry)
        lenient = ("--insecure",) if self.registries.is_lenient(registry) else ()
        return Invocation(
            (str(self.paths.crane), *lenient, *arguments),
            tool_environment(self.environment, self.paths),
        )

    def inspect(self, image: ImageReference) -> PushedImage:
        """The image that the registry has under a name.

        Raises:
            JobError: a registry's reason.
        """
        content = self.manifest(image)
        digest = digest_of(content)
        found = sizes(content)
        return PushedImage(image.name, digest, sum(found), found[1:])

    def manifest(self, image: ImageReference) -> bytes:
        """The manifest under a name.

        Raises:
            JobError: a registry's reason.
        """
        done = self._read_manifest(image)
        if done.returncode:
            raise JobError.of(crane_failure(Ended(done.returncode), _error(done), image))
        return done.stdout

    def find_manifest(self, image: ImageReference) -> bytes | None:
        """The manifest under a name; None if the registry answered that there is none.

        Raises:
            JobError: a registry's reason; it is not known whether there is one.
        """
        done = self._read_manifest(image)
        if done.returncode and is_missing(last_words(_error(done))):
            return None
        if done.returncode:
            raise JobError.of(crane_failure(Ended(done.returncode), _error(done), image))
        return done.stdout

    def digest_for(self, image: ImageReference, platform: Platform) -> str:
        """The digest of a base image for a platform; of the image itself, if it is no index.

        Raises:
            JobError: a registry's reason.
        """
        done = self._run(image, "digest", "--platform", platform.name, image.name)
        if done.returncode:
            evidence = Evidence(
                Ended(done.returncode), last_words(_error(done)), image=image.name, registry=image.registry
            )
            raise JobError.of(classify(evidence))
        return done.stdout.decode().strip()

    def config(self, image: ImageReference, platform: Platform) -> bytes:
        """The configuration of the image for a platform, as JSON.

        Raises:
            JobError: a registry's reason.
        """
        done = self._run(image, "config", "--platform", platform.name, image.name)
        if done.returncode:
            raise JobError.of(crane_failure(Ended(done.returncode), _error(done), image))
        return done.stdout

    def blob(self, repository: ImageReference, digest: str) -> bytes:
        """A blob, which has to be small.

        Raises:
            JobError: a registry's reason.
        """
        image = replace(repository, tag="", digest=digest)
        done = self._run(image, "blob", image.name)
        if done.returncode:
            raise JobError.of(crane_failure(Ended(done.returncode), _error(done), image))
        return done.stdout

    def _read_manifest(self, image: ImageReference) -> "subprocess.CompletedProcess[bytes]":
        return self._run(image, "manifest", image.name)

    def _run(self, image: ImageReference, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        command = self.command(image.registry, *arguments)
        try:
            return subprocess.run(  # noqa: S603 - a fixed program, arguments without a shell
                command.argv,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            ended = Ended(None, 0)
            raise JobError.of(crane_failure(ended, f"{image.registry}: i/o timeout", image)) from error


def last_words(output: str) -> str:
    """The error that crane's output ends with."""
    lines = [line for line in output.splitlines() if line.strip()]
    error = next((line for line in reversed(lines) if line.startswith(_PREFIX)), lines[-1] if lines else "")
    return error.removeprefix(_PREFIX)


def _error(done: "subprocess.CompletedProcess[bytes]") -> str:
    return done.stderr.decode("utf-8", "replace")


def crane_failure(ended: Ended, output: str, image: ImageReference) -> Failure:
    """The failure that crane's output describes."""
    failure = classify(Evidence(ended, last_words(output), pushing=True, names=(image.name,)))
    if failure.registry:
        return failure
    return Failure(
        failure.reason,
        failure.message.replace("The registry", image.registry).replace("The executor", "The push"),
        hint=failure.hint.replace("The registry", image.registry),
        registry=image.registry,
        situation=failure.situation,
    )
