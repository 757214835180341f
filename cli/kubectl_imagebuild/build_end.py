"""What `build` and `create` do when their build has ended."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from imagebuild import Build

#: The options that help, by the reason of a failure: its hint names fields of the spec.
ADVICE: Final[Mapping[str, str]] = {
    "RegistryUnauthorized": "To push as docker does on this machine, add --use-docker-login; or name a Secret with "
    "--push-secret.",
    "BaseImageUnauthorized": "Name a Secret for pulling with --pull-secret.",
    "RegistryTLS": "For a private CA, add --ca-file FILE; for plain HTTP, add --insecure.",
    "OutOfMemory": "Give the build more memory with --memory.",
    "DeadlineExceeded": "Give the build more time with --timeout.",
}


def build_end(metadata_file: str, *, detach: bool) -> Callable[[Build], None]:
    """What is done with a build that has ended: its metadata are written, or the option is named that would help.

    Args:
        metadata_file: The file of --metadata-file; empty for none.
        detach: Whether nobody waits for the end.

    Raises:
        ValueError: the file would never be written.
    """
    if metadata_file and detach:
        raise ValueError(f"--metadata-file {metadata_file} and --detach: leave one out, since the file has the digest")

    def end(build: Build) -> None:
        if metadata_file and build.succeeded:
            # The names are those of docker buildx build.
            metadata = {"containerimage.digest": build.digest, "image.name": ",".join(build.outputs)}
            Path(metadata_file).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
        if advice := ADVICE.get(build.reason):
            sys.stderr.write(f"{advice}\n")

    return end
