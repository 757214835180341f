"""The command build."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from imagebuild import AsyncClient, Build, Unchanged, UploadSource, image_build, pack

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
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.packing import summary
from kubectl_imagebuild.run import created, run
from kubectl_imagebuild.secret_flags import Secrets, read_secrets, require_secrets


def build_directory(  # noqa: PLR0913 - one argument per option
    *,
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="Directory that is the build context, or the URL of a Git repository, URL[#REVISION[:DIRECTORY]].",
        ),
    ] = ".",
    images: Images = [],  # noqa: B006 - typer copies it
    file: Annotated[
        str, typer.Option("-f", "--file", help="Dockerfile; - for standard input. Default: DIR/Dockerfile.")
    ] = "",
    name: NewName = "",
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
    skip_unchanged: Annotated[
        bool,
        typer.Option(
            "--skip-unchanged",
            help="End with the digest of an earlier build of the namespace, if the directory, the spec and the "
            "defaults are the same. New base images are not looked for.",
        ),
    ] = False,
    detach: Detach = False,
    progress: ProgressForm = Progress.AUTO,
    quiet: QuietForm = False,
    output: OutputForm = None,
    metadata_file: MetadataFile = "",
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Build a directory of this machine: send it, and follow the build to its end. Ctrl-C cancels the build."""
    del pull  # It always is.
    if not images:
        raise ValueError("name the image: -t REGISTRY/REPOSITORY:TAG")
    progress = Progress.QUIET if quiet else progress
    at_end = build_end(metadata_file, detach=detach)
    secrets = read_secrets(secret)
    login = login_of(images, push_secret) if use_docker_login else b""
    ca = flags.ca_bundle(ca_file, insecure=insecure)
    named = {
        "--push-secret": [push_secret],
        "--pull-secret": pull_secret,
        "--secret": [each.secret for each in secrets.existing],
    }
    described: dict[str, Any] = {
        "name": name,
        "target": target,
        "engine": engine or "",
        "build_args": flags.build_args(build_arg),
        "build_secrets": secrets.existing,
        "platforms": flags.platforms(platform),
        "platform_nodes": platform_nodes or "",
        "env": flags.pairs("--env", env),
        "labels": flags.pairs("--label", label),
        "push": push,
        "push_secret": push_secret,
        "pull_secrets": pull_secret,
        "cache": cache,
        "cache_repo": cache_repo,
        "timeout_seconds": timeout,
        "limits": flags.limits(cpu, memory),
        "registries": flags.plain_http(images) if insecure else (),
        "skip_if_unchanged": skip_if_unchanged,
    }
    if repository := flags.repository(directory):
        if skip_unchanged:
            raise ValueError("--skip-unchanged is for directories: use --skip-if-unchanged, which asks the registry")
        source, context_dir = repository
        where: dict[str, Any] = flags.dockerfile_from(sys.stdin).in_spec if file == "-" else {"dockerfile": file}
        manifest = image_build(images, git=source, context_dir=context_dir, **where, **described)

        async def start(client: AsyncClient) -> Exit:
            await require_secrets(client, named)
            creating = client.create(manifest, secrets=secrets.values, login=login, ca=ca)
            return await created(client, creating, progress, output, detach=detach, at_end=at_end)

        return run(namespace, context, kubeconfig, start)
    dockerfile = flags.dockerfile_of(Path(directory), file, sys.stdin)

    async def work(client: AsyncClient) -> Exit:
        # Both before anything is created: a name that is wrong, and a directory that cannot be read.
        await require_secrets(client, named)
        with await pack(directory, dockerfile=dockerfile.path) as archive:
            if progress is not Progress.QUIET:
                sys.stderr.write(f"{summary(archive)}\n")
            size = archive.size if archive.size > flags.MAX_BYTES else None
            upload = UploadSource(max_bytes=size, sha256=archive.sha256)
            manifest = image_build(images, upload=upload, **dockerfile.in_spec, **described)
            if skip_unchanged and (earlier := await _earlier(client, manifest, secrets)) is not None:
                if output:
                    sys.stdout.write(rendered(earlier, output))
                return Exit.OK
            return await created(
                client,
                client.create(manifest, secrets=secrets.values, login=login, ca=ca),
                progress,
                output,
                detach=detach,
                archive=archive,
                dockerfile=dockerfile.text,
                at_end=at_end,
            )

    return run(namespace, context, kubeconfig, work)


async def _earlier(client: AsyncClient, manifest: dict[str, Any], secrets: Secrets) -> Build | None:
    """Find an earlier build with the same result, and say which, or why there is none."""
    if secrets.values:
        found = Unchanged(reason="it uses build secrets, whose values may have changed")
    else:
        found = await client.find_unchanged(manifest)
    if found.build is None:
        sys.stderr.write(f"Not skipped: {found.reason}.\n")
        return None
    ended = f"{found.build.completed:%Y-%m-%dT%H:%M:%SZ}"
    sys.stderr.write(f"Unchanged since ImageBuild {found.build.name}, which ended at {ended}. Nothing is built.\n")
    for image in found.build.outputs:
        sys.stderr.write(f"{image}@{found.build.digest}\n")
    return found.build
