"""A release into a local registry, by the commands of release.yaml: images, signatures, and the chart that pins them.

BuildKit builds what docker-bake.hcl says. A real release has larger images, with an SBOM, and signs with the identity
of its workflow instead of a key. Users verify it by the commands of docs/how-to/verify-releases.md.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from release import signing
from release.chart import IMAGES
from release.programs import program
from release.tree import CRDS, ROOT
from support.registry import Registry
from support.release import Published, bake, cosign, crane, publish, push_image, release, version
from truth.buildkit import running

PUBLIC = "--insecure-ignore-tlog=true"


@pytest.fixture(scope="module")
def published(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("release")
    with running(registry.address) as kit:
        metadata = bake(registry.address, kit.socket, folder)
    return publish(registry.address, metadata, folder)


def helm(*arguments: str) -> str:
    done = subprocess.run([program("helm"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_images_and_chart_are_signed_by_digest(published: Published):
    chart = crane("digest", f"{published.project}/charts/imagebuild-operator:{version()}").strip()
    references = [
        *(f"{published.project}/imagebuild-{name}@{published.digests[name]}" for name in IMAGES),
        f"{published.project}/charts/imagebuild-operator@{chart}",
    ]
    assert published.printed == references
    assert json.loads((published.folder / "dist" / "digests.json").read_text()) == references
    done = release("verify", *published.options)
    assert done.stdout.splitlines() == [f"signature verified: {reference}" for reference in references], done.stderr


def test_the_images_of_both_platforms_are_signed_and_have_provenance(published: Published):
    image = f"{published.project}/imagebuild-operator"
    manifests = json.loads(crane("manifest", f"{image}@{published.digests['operator']}"))["manifests"]
    platforms = {entry["platform"]["architecture"]: entry["digest"] for entry in manifests[:2]}
    assert set(platforms) == {"amd64", "arm64"}
    described = [entry["annotations"]["vnd.docker.reference.digest"] for entry in manifests[2:]]
    assert described == list(platforms.values())
    for digest in platforms.values():
        cosign("verify", f"--key={published.folder}/cosign.pub", PUBLIC, f"{image}@{digest}", folder=published.folder)


def test_the_tags_of_a_release(published: Published):
    for name, digest in published.digests.items():
        for tag in (version(), "latest"):
            assert crane("digest", f"{published.project}/imagebuild-{name}:{tag}").strip() == digest


def test_users_verify_a_release_as_its_page_says(published: Published):
    identity = (
        '--certificate-identity="$IDENTITY" --certificate-oidc-issuer=https://token.actions.githubusercontent.com'
    )
    block = command_block("cosign verify")
    assert identity in block
    ours = block.replace(identity, f"--key={published.folder}/cosign.pub {PUBLIC}")
    printed = shell(f"{ours}\necho $IDENTITY", published)
    assert printed.splitlines()[-1] == signing.Signer(version()).identity
    assert [digest for digest in published.digests.values() if digest not in printed] == []


def test_users_see_the_digests_that_a_chart_pins(published: Published):
    printed = shell(command_block("helm show values").replace(" --version", " --plain-http --version"), published)
    assert re.findall(r"sha256:[0-9a-f]{64}", printed) == [published.digests[name] for name in IMAGES]


def command_block(text: str) -> str:
    """The block of docs/how-to/verify-releases.md that has a text."""
    page = (ROOT / "docs" / "how-to" / "verify-releases.md").read_text(encoding="utf-8")
    return next(str(block) for block in re.findall(r"(?ms)^```bash\n(.+?)^```$", page) if text in block)


def shell(commands: str, published: Published) -> str:
    """Run commands of the page as if the release were at ghcr.io."""
    path = os.pathsep.join([*(str(Path(program(name)).parent) for name in ("cosign", "helm")), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", commands.replace("ghcr.io/imagebuild-dev", published.project)],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_image_that_nobody_signed_is_refused(published: Published, tmp_path: Path):
    dist = tmp_path / "dist"
    dist.mkdir()
    other = f"{published.project}/imagebuild-operator"
    digest = push_image(f"{other}:forged", tmp_path)
    (dist / "digests.json").write_text(json.dumps([f"{other}@{digest}"]))
    options = [option for option in published.options if not option.startswith("--dist")]
    done = release("verify", *options, f"--dist={dist}")
    assert done.returncode == 1
    assert "no signatures found" in done.stderr
    assert digest in done.stderr


def test_the_chart_is_installed_from_the_registry_without_a_digest_to_set(published: Published):
    rendered = helm(
        "template", "imagebuild", f"oci://{published.project}/charts/imagebuild-operator", "--plain-http",
        f"--version={version()}", "--namespace=imagebuild-system", "--kube-version=1.34",
        f"--set=global.imageRegistry={published.registry}",
    )  # fmt: skip
    objects = [document for document in yaml.safe_load_all(rendered) if document]
    deployment = next(document for document in objects if document["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"{published.project}/imagebuild-operator@{published.digests['operator']}"
    builder = f"{published.project}/imagebuild-builder@{published.digests['builder']}"
    assert any(builder in text for document in objects for text in document.get("data", {}).values())


def test_artifact_hub_finds_the_images(published: Published):
    package = next((published.folder / "dist").glob("imagebuild-operator-*.tgz"))
    chart = yaml.safe_load(helm("show", "chart", str(package)))
    assert yaml.safe_load(chart["annotations"]["artifacthub.io/images"]) == [
        {"name": f"imagebuild-{name}", "image": f"ghcr.io/imagebuild-dev/imagebuild-{name}@{published.digests[name]}"}
        for name in IMAGES
    ]


def test_the_release_has_all_crds_in_one_file(published: Published):
    text = (published.folder / "dist" / "crds.yaml").read_text(encoding="utf-8")
    ours = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(CRDS.glob("*.yaml"))]
    assert list(yaml.safe_load_all(text)) == ours
    assert [crd["kind"] for crd in ours] == ["CustomResourceDefinition"] * len(ours)


def test_images_that_were_not_pushed_are_named(published: Published, tmp_path: Path):
    metadata = tmp_path / "images.json"
    metadata.write_text(json.dumps({"operator": {"containerimage.digest": published.digests["operator"]}}))
    done = release("publish", metadata, *published.options)
    assert done.returncode == 1
    assert done.stderr == "error: The metadata file has no digest of builder. Build all targets with --push.\n"


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("v99.0.0", "error: The tag v99.0.0 is for 99.0.0, but this tree has {version}. Tag it v{version}.\n"),
        ("1.0", "error: '1.0' is no tag of a release. Name it v and a semantic version, such as v1.2.0.\n"),
    ],
)
def test_a_tag_that_does_not_fit_stops_the_release(tag: str, message: str):
    done = release("check", f"--tag={tag}")
    assert done.returncode == 1
    assert done.stderr == message.format(version=version())
