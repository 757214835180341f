"""The chart of a release: its images are pinned by digest."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from release.errors import ReleaseError
from release.programs import program, run
from release.tree import CHART, PROJECT, REGISTRY
from release.yaml_edits import with_values

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Images:
    """The digests of both images, each of a multi-platform index."""

    operator: str
    builder: str

    def __post_init__(self) -> None:
        for name in ("operator", "builder"):
            digest = getattr(self, name)
            if not _DIGEST.fullmatch(digest):
                raise ReleaseError(f"The digest of the {name} image is {digest!r}. Give sha256: and 64 hex digits.")


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
        pins = {"image.digest": images.operator, "builder.image.digest": images.builder}
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
        f"    - name: imagebuild-{name}\n      image: {REGISTRY}/{PROJECT}/imagebuild-{name}@{digest}\n"
        for name, digest in (("operator", images.operator), ("builder", images.builder))
    )
    return metadata.replace(heading, f"{heading}  artifacthub.io/images: |\n{listed}")
