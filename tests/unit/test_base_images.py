import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The Dockerfile says why, beside each.
BY_TAG = {
    "gcr.io/go-containerregistry/crane:v0.20.6",
    "docker.io/library/python:3.13-slim-bookworm",
}


def test_every_base_image_is_named_by_its_digest_or_known_not_to_be():
    images = {}
    for path in sorted(ROOT.glob("Dockerfile.*")):
        text = path.read_text()
        arguments = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, re.MULTILINE))
        stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
        for name in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
            argument = re.fullmatch(r"\$\{(\w+)\}", name)
            images[path.name, name] = arguments[argument[1]] if argument else name
        assert stages
    named = {image for image in images.values() if image != "scratch"}
    assert {image for image in named if not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image)} == BY_TAG
    assert any("@sha256:" in image for image in named)
