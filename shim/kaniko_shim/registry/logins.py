"""The logins of a job: those of the Docker config, and those that credential helpers get with the pod's identity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.clouds import Cloud, cloud_of
from kaniko_shim.registry.credential_helper import CredentialHelpers, HelperError, program_of
from kaniko_shim.registry.docker_config import DockerConfig, Login, key_of, write
from kaniko_shim.registry.references import is_docker_hub
from kaniko_shim.system.job import Job

_IDENTITY = "the pod's identity"
"""How a hint names the login without a password; the operator looks for these words."""

_REFUSALS = frozenset({Reason.REGISTRY_UNAUTHORIZED, Reason.BASE_IMAGE_UNAUTHORIZED})


@dataclass(frozen=True, slots=True)
class _Source:
    """The helper that is asked for a registry, and the cloud whose own helper it is."""

    helper: str
    cloud: Cloud | None


@dataclass(slots=True)
class Logins:
    """The logins of one job. Each registry is prepared once; the executor and crane read what is installed.

    Attributes:
        config: the user's Docker config.
        job: the job.
        helpers: the credential helpers in this image.
    """

    config: DockerConfig = field(repr=False)
    job: Job = field(repr=False)
    helpers: CredentialHelpers
    _logins: dict[str, Login] = field(default_factory=dict, repr=False)
    _added: dict[str, str] = field(default_factory=dict)
    _problems: dict[str, str] = field(default_factory=dict)
    _installed: bool = False

    @classmethod
    def of(cls, config: DockerConfig | None, job: Job) -> "Logins":
        """The logins of a job that has a Docker config, or none."""
        return cls(config or DockerConfig(), job, CredentialHelpers(job.environment, job.paths))

    def install(self, needed: Iterable[str]) -> None:
        """Write the Docker config of the executor and crane.

        Args:
            needed: the registries that the job names itself; those of base images are not known yet.

        Raises:
            JobError: InvalidSpec; the config has an entry for a registry that is needed, and no password.
        """
        self.require(needed)
        useless = [registry for registry in sorted(self.config.registries()) if self._useless(registry)]
        if useless:
            self.job.warn(
                f"The Docker config has entries without a password that can be used here: {', '.join(useless)}. Images "
                "of these registries are pulled without credentials."
            )
        self._installed = True
        self._write()

    def require(self, needed: Iterable[str]) -> None:
        """Refuse a config that has an entry for a needed registry, and no password.

        Raises:
            JobError: InvalidSpec.
        """
        for registry in dict.fromkeys(needed):
            if problem := self._useless(registry):
                hint, remedy = _write_instead(registry), Remedy.DOCKER_CONFIG
                raise JobError(Reason.INVALID_SPEC, problem, hint=hint, registry=registry, remedy=remedy)

    def prepare(self, registry: str) -> None:
        """Ask the credential helper of a registry, if it has one, and install it if it has credentials.

        Raises:
            JobError: RegistryUnauthorized; a helper that the Docker config names failed.
        """
        if registry in self._logins or registry in self._problems:
            return
        source = self._source(registry)
        if source is None:
            return
        program = program_of(source.helper)
        try:
            login = self.helpers.get(source.helper, key_of(registry))
        except HelperError as error:
            self._problems[registry] = problem = f"{program} has no credentials for {registry}: {error}"
            if source.cloud is None and not error.not_found:
                raise JobError(
                    Reason.REGISTRY_UNAUTHORIZED,
                    f"{problem}.",
                    hint="The Docker config names this credential helper; correct what it needs, or remove it.",
                    registry=registry,
                ) from error
            self.job.say(f"{problem}; continuing without")
            return
        self.job.console.masker.add((login.password, login.identity_token))
        self._logins[registry] = login
        self.job.say(f"using the credentials of {program} for {registry}")
        if source.cloud is not None:
            self._added[key_of(registry)] = source.helper
            # `check` writes nothing: its file system may be read-only.
            if self._installed:
                self._write()

    def login(self, registry: str, repository: str) -> Login | None:
        """The credentials for a repository; None if there are none.

        Raises:
            JobError: as of `prepare`.
        """
        self.prepare(registry)
        return self._logins.get(registry) or self.config.login(registry, repository)

    def explain(self, failure: Failure, asked: str = "") -> Failure:
        """Say which credentials there were for the registry that denied access, and what to do.

        Args:
            failure: the failure.
            asked: the registry that was asked, if the failure does not name one: its tokens may be of another server.
        """
        registry = failure.registry or asked
        if failure.hint or not registry or failure.reason not in _REFUSALS:
            return failure
        problem = self._problems.get(registry, "") or self._useless(registry).rstrip(".")
        message = f"{failure.message} {problem}." if problem else failure.message
        hint, remedy = self._hint(registry, failure.reason)
        return replace(failure, message=message, registry=registry, hint=hint, remedy=remedy)

    def shared(self) -> Iterator[str]:
        """The registries that were logged in to with an identity that every container of the pod has."""
        for registry in self._logins:
            cloud = cloud_of(registry)
            if key_of(registry) in self._added and cloud and not any(map(self.job.environment.get, cloud.identity)):
                yield registry

    def _source(self, registry: str) -> _Source | None:
        cloud = cloud_of(registry)
        if cloud is not None and not self.helpers.has(cloud.helper):
            cloud = None
        named = self.config.helper(registry)
        if named and self.helpers.has(named):
            return _Source(named, cloud if cloud and cloud.helper == named else None)
        if self._has_store() and not named:
            return _Source(self.config.store, None)
        if cloud is not None and not self.config.has_login(registry):
            return _Source(cloud.helper, cloud)
        return None

    def _has_store(self) -> bool:
        return bool(self.config.store) and self.helpers.has(self.config.store)

    def _useless(self, registry: str) -> str:
        """Why the config's entry for a registry can't be used; empty if it can, or if there is none."""
        if registry not in self.config.registries() or self.config.has_login(registry):
            return ""
        if self._source(registry) is not None:
            return ""
        if named := self.config.helper(registry):
            return f'"credHelpers" names {program_of(named)} for {registry}, and this image has no such program.'
        if store := self.config.store:
            return f'"auths" has no password for {registry}: "credsStore" ("{store}") keeps it outside of this file.'
        return f'"auths" has an entry for {registry} without a password.'

    def _write(self) -> None:
        """A cloud's helper is left out until it was asked: the executor does not build if a helper fails."""
        own = {
            key: helper
            for key, helper in self.config.helpers.items()
            if self.helpers.has(helper) and not _is_of_cloud(key, helper)
        }
        store = self.config.store if self._has_store() else ""
        write(DockerConfig(self.config.auths, {**own, **self._added}, store), self.job.paths.credentials)

    def _hint(self, registry: str, reason: Reason) -> tuple[str, Remedy | None]:
        use = "push to that repository" if reason is Reason.REGISTRY_UNAUTHORIZED else "pull that image"
        cloud = cloud_of(registry)
        if registry in self._logins:
            if cloud is not None:
                hint = f"The registry did not accept {_IDENTITY}: check that it can {use}."
                return hint, Remedy.CLOUD_IDENTITY
            whose = "the credentials of a helper"
            return f"The registry did not accept {whose}: check that they are valid and can {use}.", None
        if self._useless(registry):
            return _write_instead(registry), Remedy.DOCKER_CONFIG
        if self.config.has_login(registry):
            whose = f"the credentials for {registry}"
            return f"The registry did not accept {whose}: check that they are valid and can {use}.", None
        key = key_of(registry)
        entry = f"add an entry {key} to its auths."
        if cloud is not None:
            hint = f"To use {_IDENTITY}, {cloud.advice}. To use a password, put it into DOCKER_CONFIG_JSON: {entry}"
            return hint, Remedy.CLOUD_IDENTITY
        hint = f"DOCKER_CONFIG_JSON has no credentials for {registry}: {entry}"
        if is_docker_hub(registry):
            hint += " Also check the image's name: Docker Hub gives the same answer if the image does not exist."
        return hint, None


def _is_of_cloud(key: str, helper: str) -> bool:
    cloud = cloud_of(key)
    return cloud is not None and cloud.helper == helper


def _write_instead(registry: str) -> str:
    return (
        f'Write {{"auths": {{"{key_of(registry)}": {{"auth": "<base64 of user:password>"}}}}}}; `kubectl create secret '
        "docker-registry` makes such a config."
    )
