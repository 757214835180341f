"""The command create."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from imagebuild import AsyncClient, image_build

from kubectl_imagebuild import flags
from kubectl_imagebuild.build_end import build_end
from kubectl_imagebuild.docker_login import login_of
from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.options import (
    BuildArgs,
    Cache,
    CacheRepo,
    CaFile,
    Context,
    Cpu,
    Detach,
    EngineOption,
    Environment,
    Images,
    Insecure,
    Kubeconfig,
    Labels,
    Memory,
    MetadataFile,
    Namespace,
    NewName,
    OutputForm,
    PlatformNodesOption,
    Platforms,
    ProgressForm,
    Pull,
    PullSecrets,
    Push,
    PushSecret,
    QuietForm,
    SecretOptions,
    SkipIfUnchanged,
    Target,
    TimeLimit,
    UseDockerLogin,
)
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.run import created, run
from kubectl_imagebuild.secret_flags import read_secrets, require_secrets

#: Parameters that say nothing of the build itself, so that they go together with a file.
_BESIDE_A_FILE: Final = frozenset(
    {
        "filename",
        "secret",
        "detach",
        "metadata_file",
        "progress",
        "quiet",
        "output",
        "namespace",
        "context",
        "kubeconfig",
    }
)


def create(  # noqa: PLR0913 - one argument per option
    called: typer.Context,
    *,
    filename: Annotated[
        str, typer.Option("-f", "--filename", help="File with one ImageBuild; - for standard input.")
    ] = "",
    images: Images = [],  # noqa: B006 - typer copies it
    git: Annotated[str, typer.Option(metavar="URL[#REVISION]", help="Git repository to build.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or full commit of the repository.")] = "",
    git_secret: Annotated[str, typer.Option(help="Secret with the credentials of the repository.")] = "",
    url: Annotated[str, typer.Option(help="URL of the source, as in spec.source.url.")] = "",
    name: NewName = "",
    context_dir: Annotated[str, typer.Option(help="Directory of the source that is the build context.")] = "",
    dockerfile: Annotated[str, typer.Option(help="Path of the Dockerfile in the context.")] = "",
    target: Target = "",
    engine: EngineOption = None,
    build_arg: BuildArgs = [],  # noqa: B006 - same
    secret: SecretOptions = [],  # noqa: B006 - same
    env: Environment = [],  # noqa: B006 - same
    platform: Platforms = [],  # noqa: B006 - same
    platform_nodes: PlatformNodesOption = None,
    push_secret: PushSecret = "",
    use_docker_login: UseDockerLogin = False,
    pull_secret: PullSecrets = [],  # noqa: B006 - same
    label: Labels = [],  # noqa: B006 - same
    cache: Cache = None,
    cache_repo: CacheRepo = "",
    push: Push = True,
    pull: Pull = False,
    insecure: Insecure = False,
    ca_file: CaFile = "",
    cpu: Cpu = "",
    memory: Memory = "",
    skip_if_unchanged: SkipIfUnchanged = False,
    timeout: TimeLimit = None,
    detach: Detach = False,
    progress: ProgressForm = Progress.AUTO,
    quiet: QuietForm = False,
    output: OutputForm = None,
    metadata_file: MetadataFile = "",
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Create a build from a file or from options, and follow it to its end. Ctrl-C cancels the build."""
    del pull  # It always is.
    secrets = read_secrets(secret)
    progress = Progress.QUIET if quiet else progress
    at_end = build_end(metadata_file, detach=detach)
    if filename:
        if described := _describing(called, is_in_spec=bool(secrets.existing)):
            raise ValueError(f"-f has the whole build: write into the file what {', '.join(described)} would say")
        text = sys.stdin.read() if filename == "-" else Path(filename).read_text(encoding="utf-8")
        manifest = flags.manifest_of_file(text, "standard input" if filename == "-" else filename)
    elif not images or bool(git) == bool(url):
        raise ValueError("name what to build: -f FILE, or --git URL (or --url URL) with -t IMAGE")
    else:
        manifest = image_build(
            images,
            git=flags.git_source(git, revision, git_secret),
            url=url,
            name=name,
            context_dir=context_dir,
            dockerfile=dockerfile,
            target=target,
            engine=engine or "",
            build_args=flags.build_args(build_arg),
            build_secrets=secrets.existing,
            platforms=flags.platforms(platform),
            platform_nodes=platform_nodes or "",
            env=flags.pairs("--env", env),
            push=push,
            push_secret=push_secret,
            pull_secrets=pull_secret,
            cache=cache,
            cache_repo=cache_repo,
            timeout_seconds=timeout,
            labels=flags.pairs("--label", label),
            limits=flags.limits(cpu, memory),
            registries=flags.plain_http(images) if insecure else (),
            skip_if_unchanged=skip_if_unchanged,
        )
    given = (manifest.get("metadata") or {}).get("namespace") or ""
    if given and namespace and given != namespace:
        raise ValueError(f"-n {namespace}: the file has namespace {given}")

    login = login_of(images, push_secret) if use_docker_login else b""
    ca = flags.ca_bundle(ca_file, insecure=insecure)

    named = {
        "--git-secret": [git_secret],
        "--push-secret": [push_secret],
        "--pull-secret": pull_secret,
        "--secret": [each.secret for each in secrets.existing],
    }

    async def work(client: AsyncClient) -> Exit:
        await require_secrets(client, named)
        creating = client.create(manifest, secrets=secrets.values, login=login, ca=ca)
        return await created(client, creating, progress, output, detach=detach, at_end=at_end)

    run(namespace or given, context, kubeconfig, work)


def _describing(called: typer.Context, *, is_in_spec: bool) -> list[str]:
    """The options on the command line that describe a build.

    Args:
        called: The command's context.
        is_in_spec: Whether --secret does, too, since it names an existing Secret.
    """
    found = []
    for option in called.command.params:
        source = called.get_parameter_source(option.name or "")
        describes = option.name not in _BESIDE_A_FILE or (is_in_spec and option.name == "secret")
        if describes and source is not None and source.name == "COMMANDLINE":
            found.append(option.opts[0])
    return found
