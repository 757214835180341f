"""The chart of a release: its images are pinned by digest."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from release.errors import ReleaseError
from release.programs import program, run
from release.tree import CHART, PROJECT, REGISTRY
from release.yaml_edits import with_values

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


#: The images of a release, and the value of the chart that each belongs to.
IMAGES = {"operator": "image", "builder": "builder.image", "builder-buildkit": "builder.buildkit.image"}


@dataclass(frozen=True, slots=True)
class Images:
    """The digest of each image by its name in IMAGES, each of a multi-platform index."""

    digests: Mapping[str, str]

    def __post_init__(self) -> None:
        for name in IMAGES:
            digest = self.digests.get(name, "")
            if not _DIGEST.fullmatch(digest):
                raise ReleaseError(f"The digest of the {name} image is {digest!r}. Give sha256: and 64 hex digits.")

    def references(self, project: str) -> list[str]:
        """All of them by digest, in a project such as ghcr.io/imagebuild-dev."""
        return [f"{project}/imagebuild-{name}@{self.digests[name]}" for name in IMAGES]


def package(images: Images, target: Path, chart: Path = CHART) -> Path:
    """Package the chart with its images pinned.

    Args:
        images: what the chart installs.
        target: a folder for the package.
        chart: the chart of this tree.

    Returns:
        The package's path.

    Raises:
        ReleaseError: Helm does not accept the chart.
    """
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release-chart-") as folder:
        copy = Path(folder, chart.name)
        shutil.copytree(chart, copy)
        values = copy / "values.yaml"
        pins = {f"{value}.digest": images.digests[name] for name, value in IMAGES.items()}
        values.write_text(with_values(values.read_text(encoding="utf-8"), pins), encoding="utf-8")
        metadata = copy / "Chart.yaml"
        metadata.write_text(_with_images(metadata.read_text(encoding="utf-8"), images), encoding="utf-8")
        run(program("helm"), "lint", "--quiet", copy)
        run(program("helm"), "package", copy, "--destination", target)
    about = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    return target / f"{about['name']}-{about['version']}.tgz"


def push(archive: Path, repository: str, *, plain_http: bool) -> str:
    """Push a package.

    Args:
        archive: the package.
        repository: where its chart belongs, such as ghcr.io/imagebuild-dev/charts.
        plain_http: whether the registry speaks HTTP.

    Returns:
        The digest of what was pushed.

    Raises:
        ReleaseError: Helm fails, or prints no digest.
    """
    options = ["--plain-http"] if plain_http else []
    printed = run(program("helm"), "push", archive, f"oci://{repository}", *options)
    found = re.search(rf"(?m)^Digest: ({_DIGEST.pattern})$", printed)
    if not found:
        raise ReleaseError(f"helm push printed no digest:\n{printed}".rstrip())
    return found[1]


def _with_images(metadata: str, images: Images) -> str:
    # Artifact Hub looks for vulnerabilities in what this annotation lists.
    heading = "annotations:\n"
    if metadata.count(heading) != 1 or "artifacthub.io/images:" in metadata:
        raise ReleaseError("Chart.yaml must have annotations, and none named artifacthub.io/images: a release adds it.")
    listed = "".join(
        f"    - name: imagebuild-{name}\n      image: {reference}\n"
        for name, reference in zip(IMAGES, images.references(f"{REGISTRY}/{PROJECT}"), strict=True)
    )
    return metadata.replace(heading, f"{heading}  artifacthub.io/images: |\n{listed}")
