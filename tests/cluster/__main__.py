"""A real Kubernetes cluster on this machine, for tests: python3 -m cluster up."""

import argparse
import os
import shlex
import sys

from cluster import images, info, lifecycle, packages
from cluster.artefacts import PROGRAMS, REFERENCES, TOOLS, artefact
from cluster.console import ClusterError, answer, say
from cluster.settings import SYSTEM_PATH, cluster, foreign_kubeconfig

IMAGES = ("busybox", "debian", "python")


def main() -> int:
    """Do what the command line says and return the exit code."""
    arguments = _parser().parse_args()
    # Where Debian's root has its tools; a user's PATH may lack it.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    try:
        code: int | None = arguments.run(arguments)
    except ClusterError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return code or 0


def _up(arguments: argparse.Namespace) -> None:
    if foreign := _foreign(arguments):
        say(f"using the cluster of KUBECONFIG={foreign}; nothing is started")
    else:
        lifecycle.up(cluster(functional=arguments.functional))


def _down(arguments: argparse.Namespace) -> None:
    lifecycle.down(cluster(functional=arguments.functional))


def _status(arguments: argparse.Namespace) -> int:
    return info.status(cluster(functional=arguments.functional))


def _info(arguments: argparse.Namespace) -> None:
    variables = info.foreign() if _foreign(arguments) else info.variables(cluster(functional=arguments.functional))
    for name, value in variables.items():
        answer(f"{name}={shlex.quote(value)}")


def _artefact(arguments: argparse.Namespace) -> None:
    answer(str(artefact(arguments.name)))


def _base_image(arguments: argparse.Namespace) -> None:
    answer(f"oci:{images.layout(arguments.name)}")


def _need(arguments: argparse.Namespace) -> None:
    packages.ensure(arguments.programs)


def _foreign(arguments: argparse.Namespace) -> str | None:
    """The user's own cluster; functional tests write what a kubelet would, so they never share one."""
    return None if arguments.functional else foreign_kubeconfig()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, what in (
        ("up", _up, "start it, or heal what is left of it"),
        ("down", _down, "end it and remove all that it left on the machine"),
        ("status", _status, "say which parts run and are ready"),
        ("info", _info, "print shell assignments for those who use it"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--functional", action="store_true", help="etcd and kube-apiserver only")
        command.set_defaults(run=run)
    for name, run, what, choices in (
        (
            "artefact",
            _artefact,
            "print the path of a program, built if it is not cached",
            (*PROGRAMS, *TOOLS, *REFERENCES),
        ),
        ("base-image", _base_image, "print the OCI layout of a base image, made if it is not cached", IMAGES),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("name", choices=choices)
        command.set_defaults(run=run)
    need = commands.add_parser("need", help="install the Debian packages of programs that are missing")
    need.add_argument("programs", nargs="+", choices=packages.PACKAGES, metavar="program")
    need.set_defaults(run=_need)
    return parser


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
