"""What a release pushes and signs, and the files of its page."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from release import chart, crds
from release.signing import Signer
from release.tree import PROJECT

_RECORD = "digests.json"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a release goes.

    Attributes:
        registry: a host, below which images and chart have the same paths as on ghcr.io.
        signer: signs all of it.
        plain_http: whether the registry speaks HTTP, as in a rehearsal.
    """

    registry: str
    signer: Signer
    plain_http: bool = False

    def publish(self, images: chart.Images, dist: Path) -> Iterator[str]:
        """Sign the images, push and sign the chart, write the files of the release's page.

        Args:
            images: what was pushed before.
            dist: a folder, which gets the chart's package, crds.yaml, and digests.json with all references by digest.

        Yields:
            Each reference that was signed.

        Raises:
            ReleaseError: a program fails.
        """
        project = f"{self.registry}/{PROJECT}"
        references = images.references(project)
        for reference in references:
            self.signer.sign(reference)
            yield reference
        package = chart.package(images, dist)
        digest = chart.push(package, f"{project}/charts", plain_http=self.plain_http)
        references.append(f"{project}/charts/imagebuild-operator@{digest}")
        self.signer.sign(references[-1])
        yield references[-1]
        (dist / "crds.yaml").write_text(crds.bundle(), encoding="utf-8")
        (dist / _RECORD).write_text(json.dumps(references, indent=1) + "\n", encoding="utf-8")

    def verify(self, dist: Path) -> Iterator[str]:
        """Check the signatures of what was published.

        Yields:
            Each reference whose signature is right.

        Raises:
            ReleaseError: one is not.
        """
        for reference in json.loads((dist / _RECORD).read_text(encoding="utf-8")):
            self.signer.verify(reference)
            yield reference
