"""SKIP_IF_UNCHANGED: what an image depends on is in the hash, and what cannot be known is not taken for known."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaniko_shim.commands.unchanged import Inputs, _find, annotations, hash_tree, read_inputs
from kaniko_shim.engines.engine import Built
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import BaseImage
from kaniko_shim.registry.base_images import BaseImages
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import ImageReference, parse_reference
from kaniko_shim.registry.registries import Registries
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.subcommand import Command


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM busybox\nCOPY a /\n")
    (tmp_path / "context" / "a").write_text("a")
    with (tmp_path / "log").open("wb") as log:
        paths = Paths(scratch=tmp_path, context=tmp_path / "context")
        yield Job({}, paths, Console(Masker(), log.fileno()), LogTail(), Phases(), Warnings())


def read(job: Job, **changes: str) -> Inputs | None:
    environment = {
        "OUTPUT_IMAGE": "r.example/app:1",
        "SOURCE_GET_URL": "dir:///tmp/source",
        "SKIP_IF_UNCHANGED": "true",
        "PLATFORM": "linux/amd64",
        **changes,
    }
    request = parse_request(Command.BUILD, environment)
    assert isinstance(request, BuildRequest)
    return read_inputs(request, job)


def test_all_that_the_image_depends_on_is_in_the_hash(job: Job):
    (job.paths.context / "sub").mkdir()
    (job.paths.context / "sub" / "Dockerfile").write_text("FROM busybox\n")
    inputs = [
        read(job),
        read(job, BUILD_ARG=b64encode(b"A=1").decode()),
        read(job, BUILD_ARG=b64encode(b"A=2").decode()),
        read(job, LABELS='{"a": "b"}'),
        read(job, TARGET="0"),
        read(job, PLATFORM="linux/arm64"),
        read(job, RUN_NETWORK="none"),
        read(job, IMAGE_TIMESTAMP="0"),
        read(job, BUILD_SECRET_npm="eA=="),
        read(job, DOCKERFILE_CONTENT="FROM busybox\n"),
        read(job, CONTEXT_SUB_PATH="sub"),
    ]
    assert len({each.hash for each in inputs if each}) == len(inputs)
    # Where it goes to, and how it gets there, it does not depend on.
    same = [read(job), read(job, OUTPUT_IMAGE="r.example/app:2"), read(job, CACHE="true", CACHE_REPO="r.example/cache")]
    assert {each.hash for each in same if each} == {inputs[0] and inputs[0].hash}


def test_a_tree_is_its_names_kinds_permissions_and_contents(tmp_path: Path):
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "file").write_text("x")

    def link(target: str) -> None:
        (tree / "link").unlink(missing_ok=True)
        (tree / "link").symlink_to(target)

    link("file")
    seen = [hash_tree(tree)]
    os.utime(tree / "file", (1, 1))
    assert hash_tree(tree) == seen[0]
    for change in (
        lambda: (tree / "file").write_text("y"),
        lambda: (tree / "file").chmod(0o755),
        lambda: (tree / "file").rename(tree / "other"),
        lambda: link("other"),
        lambda: link("elsewhere"),
        (tree / "folder" / "inner").mkdir,
        (tree / os.fsdecode(b"\xff")).touch,
    ):
        change()
        seen.append(hash_tree(tree))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("source", "is_known"),
    [
        ("a", True),
        ("https://example.com/a", False),
        (
            "--checksum=sha256:0123456789012345678901234567890123456789012345678901234567890123 https://example.com/a",
            True,
        ),
        ("git@github.com:a/b.git", False),
        ("$WHERE", False),
        ("a https://example.com/a", False),
    ],
)
def test_what_is_added_from_elsewhere_may_be_something_else_now(job: Job, source: str, is_known: bool):  # noqa: FBT001
    (job.paths.context / "Dockerfile").write_text(f"FROM busybox\nADD {source} /\n")
    assert (read(job) is not None) is is_known
    assert any("line 2" in warning for warning in job.warnings.texts) is not is_known


def test_an_image_says_nothing_of_inputs_that_are_not_known():
    inputs = Inputs("1" * 64, "2" * 64)
    base = BaseImage("docker.io/library/busybox:latest", "sha256:3")
    assert annotations(inputs, Built(None, "", base_images=(base,))) == {
        "dev.imagebuild.inputs": "1" * 64,
        "dev.imagebuild.base-images": '{"docker.io/library/busybox:latest": "sha256:3"}',
    }
    assert annotations(inputs, Built(None, "", base_images=None)) == {}
    assert annotations(None, Built(None, "", base_images=(base,))) == {}


class Registry(Crane):
    """Has one manifest under every name."""

    content = b""

    def digest_for(self, image: ImageReference, platform: Platform) -> str:
        return f"sha256:{image.repository}{platform.architecture}"

    def manifest(self, image: ImageReference) -> bytes:
        assert image.digest
        return self.content

    def blob(self, repository: ImageReference, digest: str) -> bytes:
        assert repository.digest
        if digest == "sha256:gone":
            raise JobError(Reason.REGISTRY_UNAVAILABLE, "The registry has lost it.")
        return b"{}"


CONFIG = {"config": {"digest": "sha256:1"}, "layers": [{"digest": "sha256:2"}]}


@pytest.mark.parametrize(
    ("manifest", "is_found"),
    [
        (CONFIG, True),
        ({**CONFIG, "annotations": {"dev.imagebuild.inputs": "0", "dev.imagebuild.base-images": "{}"}}, False),
        ({**CONFIG, "annotations": {"dev.imagebuild.inputs": "1", "dev.imagebuild.base-images": "["}}, False),
        ({**CONFIG, "config": {"digest": "sha256:gone"}}, False),
        ({"layers": []}, False),
        ({**CONFIG, "layers": [7]}, False),
        ({**CONFIG, "mediaType": "application/json"}, False),
    ],
)
def test_what_a_registry_does_not_have_whole_is_built(manifest: dict[str, object], is_found: bool):  # noqa: FBT001
    said = {"dev.imagebuild.inputs": "1", "dev.imagebuild.base-images": "{}"}
    crane = Registry(Paths(), {}, Registries())
    whole = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "annotations": said, **manifest}
    Registry.content = json.dumps(whole).encode()
    bases = BaseImages(crane, Registries())
    found = _find(parse_reference("r.example/app:1"), crane, bases, "1", Platform("linux", "amd64"))
    assert (found is not None) is is_found
