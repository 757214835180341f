"""The users who upload a context: they send it until their build has ended, however often that breaks."""

import tempfile
import time
from pathlib import Path
from typing import Final

from chaos.workload import UPLOAD_SECONDS, Build
from imagebuild import Client, DeletedError, ImageBuildError

#: Seconds between two tries, for example while the API server is away.
PAUSE: Final = 2.0


def upload(kubeconfig: Path, build: Build) -> None:
    """Send the files of a build to each of its pods, as `kubectl imagebuild upload` does."""
    deadline = time.monotonic() + UPLOAD_SECONDS
    with tempfile.TemporaryDirectory() as folder:
        for name, content in build.files.items():
            Path(folder, name).write_bytes(content)
        while time.monotonic() < deadline:
            try:
                with Client(build.namespace, kubeconfig=str(kubeconfig)) as client:
                    client.upload(build.name, folder, until_end=True)
            except DeletedError:
                return
            except (ImageBuildError, OSError):
                time.sleep(PAUSE)
            else:
                return
