"""The command create."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from imagebuild import image_build

from kubectl_imagebuild import flags
from kubectl_imagebuild.build_options import BuildOptions, with_build_options

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


@with_build_options
def create(  # noqa: PLR0913 - one argument per option
    called: typer.Context,
    *,
    filename: Annotated[
        str, typer.Option("-f", "--filename", help="File with one ImageBuild; - for standard input.")
    ] = "",
    git: Annotated[str, typer.Option(metavar="URL[#REVISION]", help="Git repository to build.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or full commit of the repository.")] = "",
    git_secret: Annotated[str, typer.Option(help="Secret with the credentials of the repository.")] = "",
    url: Annotated[str, typer.Option(help="URL of the source, as in spec.source.url.")] = "",
    context_dir: Annotated[str, typer.Option(help="Directory of the source that is the build context.")] = "",
    dockerfile: Annotated[str, typer.Option(help="Path of the Dockerfile in the context.")] = "",
    shared: BuildOptions,
) -> None:
    """Create a build from a file or from options, and follow it to its end. Ctrl-C cancels the build."""
    if not filename and (not shared.images or bool(git) == bool(url)):
        raise ValueError("name what to build: -f FILE, or --git URL (or --url URL) with -t IMAGE")
    ready = shared.ready({"--git-secret": [git_secret]})
    if filename:
        if options := _describing(called, is_in_spec=bool(ready.secrets.existing)):
            raise ValueError(f"-f has the whole build: write into the file what {', '.join(options)} would say")
        text = sys.stdin.read() if filename == "-" else Path(filename).read_text(encoding="utf-8")
        manifest = flags.manifest_of_file(text, "standard input" if filename == "-" else filename)
    else:
        source = flags.git_source(git, revision, git_secret)
        described = {"context_dir": context_dir, "dockerfile": dockerfile, **ready.described()}
        manifest = image_build(shared.images, git=source, url=url, **described)
    given = (manifest.get("metadata") or {}).get("namespace") or ""
    if given and shared.namespace and given != shared.namespace:
        raise ValueError(f"-n {shared.namespace}: the file has namespace {given}")
    ready.run(lambda client: ready.follow(client, manifest), given)


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
