"""Steps of a release: `PYTHONPATH=tools python -m release COMMAND`. The Makefile and the workflows call them."""

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable
from pathlib import Path

from release import bake, changelog, executor, packages, plugin, publication, signing, versions
from release.errors import ReleaseError
from release.tree import CHANGELOG, REGISTRY


def main() -> int:
    """Run one command."""
    options = _parser().parse_args()
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="release", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    check = command("check", _check, "Check that all places name one version, and print it.")
    check.add_argument("--tag", help="a Git tag that must fit, with a section of the changelog")
    prepare = command("prepare", _prepare, "Write a new version to all places, and to the changelog's heading.")
    prepare.add_argument("version")
    command("notes", _notes, "Print the changelog's section of this version.")
    publish = command("publish", _publish, "Sign images; package, push and sign the chart; write dist/.")
    publish.add_argument("metadata", type=Path, help="what `docker buildx bake --push --metadata-file` has written")
    verify = command("verify", _verify, "Check the signatures of all that `publish` has pushed.")
    for sub in (publish, verify):
        sub.add_argument(
            "--registry", default=os.environ.get("IMAGE_REGISTRY") or REGISTRY, help="default: %(default)s"
        )
        sub.add_argument("--key", type=Path, help="cosign's private key, for a rehearsal")
        sub.add_argument("--plain-http", action="store_true", help="the registry speaks HTTP, for a rehearsal")
        sub.add_argument("--dist", type=Path, default=Path("dist"), help="default: %(default)s")
    built = command("packages", _packages, "Build the Python packages for PyPI.")
    uploaded = command("packages-publish", _packages_publish, "Upload the Python packages and attestations to PyPI.")
    for sub in (built, uploaded):
        sub.add_argument("folder", type=Path, help="folder of the packages, and of nothing else")
    krew = command("plugin", _plugin, "Write the archive and the manifest for krew.")
    krew.add_argument("--dist", type=Path, default=Path("dist"), help="default: %(default)s")
    command("executor", _executor, "Print the executor's image that the builder image ships.")
    command("executor-newest", _executor_newest, "Print the newest release of the executor, with its digest.")
    move = command("executor-pin", _executor_pin, "Move the pin of the executor to a version.")
    move.add_argument("version", help="such as v1.28.3, or newest")
    return parser


def _check(options: argparse.Namespace) -> None:
    version = versions.current()
    if options.tag:
        if (tagged := versions.version_of_tag(options.tag)) != version:
            raise ReleaseError(
                f"The tag {options.tag} is for {tagged}, but this tree has {version}. Tag it v{version}."
            )
        changelog.notes(CHANGELOG.read_text(encoding="utf-8"), version)
    print(f"version={version}")


def _prepare(options: argparse.Namespace) -> None:
    day = dt.datetime.now(dt.UTC).date()
    rolled = changelog.roll(CHANGELOG.read_text(encoding="utf-8"), options.version, day)
    changed = versions.change(options.version)
    CHANGELOG.write_text(rolled, encoding="utf-8")
    print("\n".join(f"changed {file}" for file in (*changed, CHANGELOG.name)))


def _notes(_: argparse.Namespace) -> None:
    print(changelog.notes(CHANGELOG.read_text(encoding="utf-8"), versions.current()))


def _publish(options: argparse.Namespace) -> None:
    images = bake.digests(options.metadata.read_text(encoding="utf-8"))
    for reference in _destination(options).publish(images, options.dist):
        print(reference)


def _verify(options: argparse.Namespace) -> None:
    for reference in _destination(options).verify(options.dist):
        print(f"signature verified: {reference}")


def _destination(options: argparse.Namespace) -> publication.Destination:
    signer = signing.Signer(versions.current(), options.key, plain_http=options.plain_http)
    return publication.Destination(options.registry, signer, plain_http=options.plain_http)


def _packages(options: argparse.Namespace) -> None:
    for path in packages.build(options.folder):
        print(path)


def _packages_publish(options: argparse.Namespace) -> None:
    for name in packages.publish(options.folder):
        print(name)


def _plugin(options: argparse.Namespace) -> None:
    version = versions.current()
    print(plugin.archive(options.dist, version))
    print(plugin.manifest(options.dist, version))


def _executor(_: argparse.Namespace) -> None:
    print(executor.pinned().image)


def _executor_newest(_: argparse.Namespace) -> None:
    pin = executor.pinned()
    print(executor.resolve(pin, executor.newest(pin)).image)


def _executor_pin(options: argparse.Namespace) -> None:
    pin = executor.pinned()
    version = executor.newest(pin) if options.version == "newest" else options.version
    wanted = executor.resolve(pin, version)
    print(f"{'moved to' if executor.move(wanted) else 'is already'} {wanted.image}")


if __name__ == "__main__":
    sys.exit(main())
