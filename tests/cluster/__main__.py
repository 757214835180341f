"""A real Kubernetes cluster on this machine, for tests: python3 -m cluster up."""

import argparse
import os
import shlex
import sys

from cluster import images, info, lifecycle, packages
from cluster.artefacts import PROGRAMS, artefact
from cluster.console import Failure, answer, say
from cluster.settings import cluster, foreign_kubeconfig


def main() -> int:
    """Do what the command line says and return the exit code."""
    arguments = _arguments()
    try:
        return _run(arguments)
    except Failure as failure:
        say(f"error: {failure}")
        return 1


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "artefact":
            answer(str(artefact(arguments.name)))
            return 0
        case "base-image":
            packages.ensure(packages.IMAGES)
            answer(f"oci:{images.layout(arguments.name)}")
            return 0
        case "need":
            packages.ensure(arguments.programs)
            return 0
    target = cluster(functional=arguments.functional)
    # The functional tests write what a kubelet would, so they never share a cluster that has one.
    foreign = None if arguments.functional else foreign_kubeconfig()
    match arguments.command:
        case "up" if foreign:
            say(f"using the cluster of KUBECONFIG={foreign}; nothing is started")
        case "up":
            lifecycle.up(target)
        case "down":
            lifecycle.down(target)
        case "status":
            return info.status(target)
        case "info":
            for name, value in (info.foreign() if foreign else info.variables(target)).items():
                answer(f"{name}={shlex.quote(value)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("up", "start it, or heal what is left of it"),
        ("down", "end it and remove all that it left on the machine"),
        ("status", "say which parts run and are ready"),
        ("info", "print shell assignments for those who use it"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--functional", action="store_true", help="etcd and kube-apiserver only")
    program = commands.add_parser("artefact", help="build a program if it is not cached and print its path")
    program.add_argument("name", choices=PROGRAMS)
    image = commands.add_parser("base-image", help="make a base image if it is not cached and print its layout")
    image.add_argument("name", choices=("busybox", "debian", "python"))
    need = commands.add_parser("need", help="install the packages of these programs where they are missing")
    need.add_argument("programs", nargs="+", choices=packages.PACKAGES, metavar="program")
    return parser.parse_args()


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
