"""Which executor a builder image has, for the line that sums a suite up."""

import json
import tarfile
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.executor.abilities import Abilities, read_abilities

HELP = "kaniko/.Shim/executor.help"
"""Where the builder image keeps what its executor says about itself."""

tested = pytest.StashKey[str]()


def executor_in(layout: Path) -> Abilities:
    """What the executor of a builder image, an OCI layout, is and can do."""

    def blob(digest: str) -> Path:
        return layout / "blobs" / digest.replace(":", "/")

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_bytes())
    for layer in manifest["layers"]:
        with tarfile.open(blob(layer["digest"])) as archive:
            for member in archive:
                if member.name.lstrip("./") == HELP and (file := archive.extractfile(member)):
                    return read_abilities(file.read().decode())
    message = f"{layout} has no {HELP}"
    raise AssertionError(message)


def note(config: pytest.Config, executor: Abilities) -> None:
    """Remember the executor for the summary of the run."""
    config.stash[tested] = describe(executor)


def describe(executor: Abilities) -> str:
    """The executor's name; says when it is not the one that the builder image ships."""
    if not executor.is_old:
        return f"executor {executor.name}"
    return f"executor {executor.name} only; EXECUTOR_IMAGE=… tests the one that the builder image ships"
