import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted(ROOT.glob("Dockerfile.*"))


def base_images(dockerfile: Path) -> set[str]:
    """What its stages begin with, with the defaults of its build arguments; neither scratch nor another stage."""
    text = dockerfile.read_text(encoding="utf-8")
    arguments = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, re.MULTILINE))
    stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
    images = set()
    for name in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
        image = name
        while argument := re.fullmatch(r"\$\{(\w+)\}", image):
            image = arguments[argument[1]]
        images.add(image)
    return images - stages - {"scratch"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_every_base_image_is_named_by_a_version(dockerfile: Path):
    """Renovate adds digests, which a registry has to tell."""
    images = base_images(dockerfile)
    assert images
    for image in images:
        assert re.fullmatch(r"[\w.-]+\.\w+/[\w./-]+:v?\d[\w.-]*(@sha256:[0-9a-f]{64})?", image), image


def test_the_executor_is_named_by_its_digest():
    assert [image for image in base_images(ROOT / "Dockerfile.builder") if "/kaniko:" in image and "@sha256:" in image]
