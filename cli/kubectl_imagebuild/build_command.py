"""The command build."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from imagebuild import AsyncClient, Build, Unchanged, UploadSource, image_build, pack

from kubectl_imagebuild import flags
from kubectl_imagebuild.build_options import BuildOptions, with_build_options
from kubectl_imagebuild.outcome import Exit
from kubectl_imagebuild.output import rendered
from kubectl_imagebuild.packing import summary
from kubectl_imagebuild.secret_flags import Secrets


@with_build_options
def build_directory(
    *,
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="Directory that is the build context, or the URL of a Git repository, URL[#REVISION[:DIRECTORY]].",
        ),
    ] = ".",
    file: Annotated[
        str, typer.Option("-f", "--file", help="Dockerfile; - for standard input. Default: DIR/Dockerfile.")
    ] = "",
    skip_unchanged: Annotated[
        bool,
        typer.Option(
            "--skip-unchanged",
            help="End with the digest of an earlier build of the namespace, if the directory, the spec and the "
            "defaults are the same. New base images are not looked for.",
        ),
    ] = False,
    shared: BuildOptions,
) -> None:
    """Build a directory of this machine: send it, and follow the build to its end. Ctrl-C cancels the build."""
    if not shared.images:
        raise ValueError("name the image: -t REGISTRY/REPOSITORY:TAG")
    ready = shared.ready()
    described = ready.described()
    if repository := flags.repository(directory):
        if skip_unchanged:
            raise ValueError("--skip-unchanged is for directories: use --skip-if-unchanged, which asks the registry")
        source, context_dir = repository
        where: dict[str, Any] = flags.dockerfile_from(sys.stdin).in_spec if file == "-" else {"dockerfile": file}
        manifest = image_build(shared.images, git=source, context_dir=context_dir, **where, **described)
        return ready.run(lambda client: ready.follow(client, manifest))
    dockerfile = flags.dockerfile_of(Path(directory), file, sys.stdin)

    async def work(client: AsyncClient) -> Exit:
        # Before anything is created: a directory that cannot be read.
        with await pack(directory, dockerfile=dockerfile.path) as archive:
            if not shared.is_quiet:
                sys.stderr.write(f"{summary(archive)}\n")
            size = archive.size if archive.size > flags.MAX_BYTES else None
            upload = UploadSource(max_bytes=size, sha256=archive.sha256)
            manifest = image_build(shared.images, upload=upload, **dockerfile.in_spec, **described)
            if skip_unchanged and (earlier := await _earlier(client, manifest, ready.secrets)) is not None:
                if shared.output:
                    sys.stdout.write(rendered(earlier, shared.output))
                return Exit.OK
            return await ready.follow(client, manifest, archive, dockerfile.text)

    return ready.run(work)


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
