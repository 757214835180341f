"""Options that several commands have."""

from typing import Annotated

import typer

from kubectl_imagebuild import suggestions
from kubectl_imagebuild.forms import Engine, Output, PlatformNodes, Progress


def _names(context: typer.Context, incomplete: str) -> list[str]:
    return suggestions.build_names(context, incomplete)


def _namespaces(context: typer.Context, incomplete: str) -> list[str]:
    return suggestions.namespaces(context, incomplete)


def _contexts(context: typer.Context, incomplete: str) -> list[str]:
    return suggestions.contexts(context, incomplete)


def _bare(name: str) -> str:
    """A name without the kind before it, as -o name prints it."""
    return name.rpartition("/")[2]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name of the ImageBuild.", show_default=False, autocompletion=_names, callback=_bare
    ),
]
Namespace = Annotated[
    str,
    typer.Option(
        "-n",
        "--namespace",
        help="Namespace. Default: that of the context.",
        show_default=False,
        autocompletion=_namespaces,
    ),
]
Context = Annotated[
    str,
    typer.Option(
        help="Context of the kubeconfig. Default: the current one.", show_default=False, autocompletion=_contexts
    ),
]
Kubeconfig = Annotated[str, typer.Option(help="Path of the kubeconfig. Default: as kubectl does.", show_default=False)]
OutputForm = Annotated[Output | None, typer.Option("-o", "--output", help="Output for programs.", show_default=False)]
ProgressForm = Annotated[
    Progress,
    typer.Option(
        help="How progress is shown: tty changes lines in place; auto is tty on a terminal, else plain; quiet prints "
        "the digest, or the failure."
    ),
]
QuietForm = Annotated[bool, typer.Option("-q", "--quiet", help="The same as --progress quiet.")]
Detach = Annotated[
    bool, typer.Option("-d", "--detach", help="Do not follow the build; end when it is created and its directory sent.")
]
Images = Annotated[
    list[str],
    typer.Option(
        "-t", "--image", "--tag", metavar="IMAGE", help="REGISTRY/REPOSITORY:TAG; may be repeated.", show_default=False
    ),
]
BuildArgs = Annotated[
    list[str],
    typer.Option(
        "--build-arg",
        metavar="NAME[=VALUE]",
        help="Value for ARG; without =VALUE, that of the variable of this name here, if it is set; may be repeated.",
        show_default=False,
    ),
]
Labels = Annotated[
    list[str],
    typer.Option("--label", metavar="NAME=VALUE", help="Label of the image; may be repeated.", show_default=False),
]
NewName = Annotated[str, typer.Option("--name", help="Name of the ImageBuild. Default: made from the image.")]
Target = Annotated[str, typer.Option(help="Stage to build.")]
EngineOption = Annotated[
    Engine | None,
    typer.Option("--engine", help="What builds the image; Auto: BuildKit where it can run.", show_default=False),
]
SecretOptions = Annotated[
    list[str],
    typer.Option(
        "--secret",
        metavar="id=ID,src=FILE",
        help="Secret for RUN --mount=type=secret, from a file; also id=ID,env=VARIABLE, and id=ID,secret=NAME,key=KEY "
        "for a Secret that exists; may be repeated.",
        show_default=False,
    ),
]
Environment = Annotated[
    list[str],
    typer.Option(
        "--env",
        metavar="NAME=VALUE",
        help="Variable of the build container, for cloud SDKs; RUN does not get it (use --build-arg); may be repeated.",
        show_default=False,
    ),
]
PlatformNodesOption = Annotated[
    PlatformNodes | None,
    typer.Option(
        "--platform-nodes", help="Nodes for a platform: of its architecture (Native), or any.", show_default=False
    ),
]
Platforms = Annotated[
    list[str],
    typer.Option(metavar="PLATFORM[,…]", help="Platforms, such as linux/amd64,linux/arm64; may be repeated."),
]
PushSecret = Annotated[str, typer.Option(help="Secret with the credentials for pushing.")]
UseDockerLogin = Annotated[
    bool,
    typer.Option(
        "--use-docker-login",
        help="Push with docker's login of this machine, in a Secret that is deleted with the build.",
    ),
]
PullSecrets = Annotated[list[str], typer.Option(help="Secret for base images; may be repeated.")]
Cache = Annotated[
    bool | None,
    typer.Option(
        "--cache/--no-cache",
        help="Cache layers in a registry, or use none although the defaults say so.",
        show_default=False,
    ),
]
CacheRepo = Annotated[str, typer.Option(help="Repository of cached layers; turns the cache on.")]
Push = Annotated[bool, typer.Option("--push/--no-push", help="Push the image, or only build it.")]
Pull = Annotated[
    bool, typer.Option("--pull", help="Accepted as in docker: base images are always looked up in their registries.")
]
Cpu = Annotated[str, typer.Option("--cpu", metavar="CPUS", help="CPUs of the build container, such as 2 or 500m.")]
Memory = Annotated[
    str, typer.Option("-m", "--memory", metavar="BYTES", help="Memory of the build container, such as 2Gi.")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Reach the registries of the images over plain HTTP.")]
MetadataFile = Annotated[
    str,
    typer.Option(
        "--metadata-file",
        metavar="FILE",
        help="File for the names and the digest of the image, as docker buildx build writes them.",
    ),
]
CaFile = Annotated[
    str,
    typer.Option(
        "--ca-file",
        metavar="FILE",
        help="Certificates in PEM that the registries of the images are verified with, as a private CA's.",
    ),
]
SkipIfUnchanged = Annotated[
    bool,
    typer.Option(
        "--skip-if-unchanged",
        help="Build nothing if the image in the registry has the same inputs (output.skipIfUnchanged; BuildKit only).",
    ),
]
TimeLimit = Annotated[int | None, typer.Option(metavar="SECONDS", min=1, help="Time limit of the build.")]
