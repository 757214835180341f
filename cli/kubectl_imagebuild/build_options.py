"""The options that `build` and `create` share: what they say of a build, and how it is followed."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, get_type_hints

from imagebuild import Archive, AsyncClient, Build

from kubectl_imagebuild import flags, options
from kubectl_imagebuild.build_end import build_end
from kubectl_imagebuild.docker_login import login_of
from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.run import Work, created, run
from kubectl_imagebuild.secret_flags import Secrets, read_secrets, require_secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOptions:
    """Their values; `with_build_options` gives them to a command, in this order."""

    images: options.Images = field(default_factory=list)
    name: options.NewName = ""
    target: options.Target = ""
    engine: options.EngineOption = None
    build_arg: options.BuildArgs = field(default_factory=list)
    secret: options.SecretOptions = field(default_factory=list)
    env: options.Environment = field(default_factory=list)
    platform: options.Platforms = field(default_factory=list)
    platform_nodes: options.PlatformNodesOption = None
    push_secret: options.PushSecret = ""
    use_docker_login: options.UseDockerLogin = False
    pull_secret: options.PullSecrets = field(default_factory=list)
    label: options.Labels = field(default_factory=list)
    cache: options.Cache = None
    cache_repo: options.CacheRepo = ""
    push: options.Push = True
    pull: options.Pull = False
    insecure: options.Insecure = False
    ca_file: options.CaFile = ""
    cpu: options.Cpu = ""
    memory: options.Memory = ""
    skip_if_unchanged: options.SkipIfUnchanged = False
    timeout: options.TimeLimit = None
    detach: options.Detach = False
    progress: options.ProgressForm = Progress.AUTO
    quiet: options.QuietForm = False
    output: options.OutputForm = None
    metadata_file: options.MetadataFile = ""
    namespace: options.Namespace = ""
    context: options.Context = ""
    kubeconfig: options.Kubeconfig = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing but the result is printed."""
        return self.quiet or self.progress is Progress.QUIET

    def ready(self, more_secrets: Mapping[str, Sequence[str]] | None = None) -> "Ready":
        """Read what the options name on this machine.

        Args:
            more_secrets: Names of Secrets, by the command's own option that has them.

        Raises:
            ValueError: a value is wrong, or does not go together with another.
        """
        at_end = build_end(self.metadata_file, detach=self.detach)
        secrets = read_secrets(self.secret)
        named = {
            **(more_secrets or {}),
            "--push-secret": [self.push_secret],
            "--pull-secret": self.pull_secret,
            "--secret": [each.secret for each in secrets.existing],
        }
        login = login_of(self.images, self.push_secret) if self.use_docker_login else b""
        return Ready(self, secrets, named, login, flags.ca_bundle(self.ca_file, insecure=self.insecure), at_end)


@dataclass(frozen=True, slots=True)
class Ready:
    """The options, and what they name on this machine.

    Attributes:
        options: The options.
        secrets: The build secrets.
        named: Names of Secrets that must exist, by the option that has them.
        login: A Docker config to push with; empty for none.
        ca: Certificates of registries; empty for none.
        at_end: What is done with a build that has ended.
    """

    options: BuildOptions
    secrets: Secrets
    named: Mapping[str, Sequence[str]]
    login: bytes = field(repr=False)
    ca: bytes
    at_end: Callable[[Build], None]

    def described(self) -> dict[str, Any]:
        """What they say of a build, as arguments of `image_build`.

        Raises:
            ValueError: a value is wrong.
        """
        said = self.options
        return {
            "name": said.name,
            "target": said.target,
            "engine": said.engine or "",
            "build_args": flags.build_args(said.build_arg),
            "build_secrets": self.secrets.existing,
            "platforms": flags.platforms(said.platform),
            "platform_nodes": said.platform_nodes or "",
            "env": flags.pairs("--env", said.env),
            "labels": flags.pairs("--label", said.label),
            "push": said.push,
            "push_secret": said.push_secret,
            "pull_secrets": said.pull_secret,
            "cache": said.cache,
            "cache_repo": said.cache_repo,
            "timeout_seconds": said.timeout,
            "limits": flags.limits(said.cpu, said.memory),
            "registries": flags.plain_http(said.images) if said.insecure else (),
            "skip_if_unchanged": said.skip_if_unchanged,
        }

    async def follow(
        self, client: AsyncClient, manifest: dict[str, Any], archive: Archive | None = None, dockerfile: str = ""
    ) -> Exit:
        """Create the build of a manifest and follow it.

        Args:
            client: The API server.
            manifest: The ImageBuild.
            archive: What is sent as its build context.
            dockerfile: Text of the Dockerfile, if it is known.
        """
        return await created(
            client,
            client.create(manifest, secrets=self.secrets.values, login=self.login, ca=self.ca),
            Progress.QUIET if self.options.is_quiet else self.options.progress,
            self.options.output,
            detach=self.options.detach,
            archive=archive,
            dockerfile=dockerfile,
            at_end=self.at_end,
        )

    def run(self, work: Work, namespace: str = "") -> None:
        """Run work once the Secrets that the options name are there; `namespace` is the one to take if none is said."""

        async def checked(client: AsyncClient) -> Exit:
            # A name that is wrong, before anything is created.
            await require_secrets(client, self.named)
            return await work(client)

        run(self.options.namespace or namespace, self.options.context, self.options.kubeconfig, checked)


def with_build_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options above, which it gets as its argument `shared`."""

    @functools.wraps(command)
    def with_options(*arguments: object, **values: object) -> None:
        given = {each.name: values.pop(each.name) for each in fields(BuildOptions)}
        command(*arguments, **values, shared=BuildOptions(**given))  # type: ignore[arg-type]  # as typer has read them

    hints = get_type_hints(BuildOptions, include_extras=True)
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "shared"]
    parameters = own + [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=[] if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(BuildOptions)
    ]
    # What typer reads.
    vars(with_options)["__signature__"] = inspect.Signature(parameters)
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_options
