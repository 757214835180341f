"""A registry as a test sees it from outside: what lies in it, asked with crane."""

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One file of an image."""

    kind: str
    mode: int
    content: bytes


@dataclass(frozen=True)
class Registry:
    """One registry: the name that builds use for it, and the address that reaches it from this machine."""

    name: str
    address: str
    environment: dict[str, str]

    def digest(self, image: str) -> str:
        """The digest that a tag points to."""
        return self._crane("digest", self._here(image)).decode().strip()

    def has(self, image: str) -> bool:
        """Whether an image is there."""
        command = ["crane", "--insecure", "digest", self._here(image)]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0

    def files(self, image: str) -> dict[str, Entry]:
        """Every file and link of an image, its layers laid over one another, by path; no directories."""
        archive = self._crane("export", self._here(image), "-")
        found: dict[str, Entry] = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.isdir():
                    continue
                handle = tar.extractfile(member) if member.isfile() else None
                content = handle.read() if handle else member.linkname.encode()
                kind = "file" if member.isfile() else "link"
                found["/" + member.name.removeprefix("./").strip("/")] = Entry(kind, member.mode, content)
        return found

    def directories(self, image: str) -> set[str]:
        """Every directory of an image."""
        with tarfile.open(fileobj=io.BytesIO(self._crane("export", self._here(image), "-"))) as tar:
            return {"/" + member.name.removeprefix("./").strip("/") for member in tar if member.isdir()}

    def config(self, image: str) -> str:
        """An image's configuration as JSON."""
        return self._crane("config", self._here(image)).decode()

    def manifest(self, image: str) -> dict[str, Any]:
        """What the registry has under a reference."""
        found: dict[str, Any] = json.loads(self._crane("manifest", self._here(image)))
        return found

    def blob(self, image: str) -> bytes:
        """The blob under a reference by digest."""
        return self._crane("blob", self._here(image))

    def _here(self, image: str) -> str:
        return image.replace(self.name, self.address, 1)

    def _crane(self, *arguments: str) -> bytes:
        command = ["crane", "--insecure", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
