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


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of the ImageBuild.", show_default=False, autocompletion=_names),
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
    typer.Option(help="How progress is shown: tty changes lines in place; auto is tty on a terminal, else plain."),
]
Detach = Annotated[
    bool, typer.Option("-d", "--detach", help="Do not follow the build; end when it is created and its directory sent.")
]
Images = Annotated[
    list[str],
    typer.Option(
        "-t", "--image", metavar="IMAGE", help="REGISTRY/REPOSITORY:TAG; may be repeated.", show_default=False
    ),
]
BuildArgs = Annotated[
    list[str],
    typer.Option("--build-arg", metavar="NAME=VALUE", help="Value for ARG; may be repeated.", show_default=False),
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
Platforms = Annotated[list[str], typer.Option(help="Platform, such as linux/arm64; may be repeated.")]
PushSecret = Annotated[str, typer.Option(help="Secret with the credentials for pushing.")]
PullSecrets = Annotated[list[str], typer.Option(help="Secret for base images; may be repeated.")]
Cache = Annotated[bool, typer.Option("--cache", help="Cache layers in a registry.")]
CacheRepo = Annotated[str, typer.Option(help="Repository of cached layers; turns the cache on.")]
NoPush = Annotated[bool, typer.Option("--no-push", help="Build without pushing.")]
TimeLimit = Annotated[int | None, typer.Option(metavar="SECONDS", min=1, help="Time limit of the build.")]
