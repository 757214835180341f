"""In what the image of a second build differs from that of the first."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from kaniko_shim.corroborate.contents import contents
from kaniko_shim.corroborate.sketch import sketch_of
from kaniko_shim.corroborate.witness import Witness
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.push_request import PushRequest
from kaniko_shim.system.subcommand import Command

FILES = {"app/a": "1", "app/b": "2", "etc/c": "3"}
CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "config": {"Env": ["A=1"], "Cmd": ["sh"]},
    "rootfs": {"diff_ids": []},
}


def put(layout: Path, content: bytes) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    path = blob_path(layout, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"digest": digest, "size": len(content)}


def layer(files: dict[str, str], **changes: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            for field, value in changes.items():
                setattr(entry, field, value)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()


def image(layout: Path, *layers: bytes, config: dict[str, Any] = CONFIG) -> bytes:
    put_layers = [put(layout, content) for content in layers]
    return json.dumps({"config": put(layout, json.dumps(config).encode()), "layers": put_layers}).encode()


def told(layout: Path, first: bytes, second: bytes) -> str:
    """What the message says about a second image."""
    witness = Witness(f"sha256:{'ab' * 32}", sketch_of(dict(contents(layout, first))), "app-1", "node-a")
    error = witness.refusal(f"sha256:{'cd' * 32}", dict(contents(layout, second)))
    assert error.failure.reason is Reason.NOT_REPRODUCIBLE
    start = f"The image sha256:{'cd' * 32} differs from sha256:{'ab' * 32}, which app-1 built on node-a before: "
    assert str(error).startswith(start)
    assert str(error).endswith(". Nothing was pushed.")
    return str(error)[len(start) : -len(". Nothing was pushed.")]


@pytest.mark.parametrize(
    ("layers", "config", "expected"),
    [
        ([layer({**FILES, "app/b": "4"})], CONFIG, "/app/b"),
        ([layer(FILES, mode=0o4755)], CONFIG, "/app/a, /app/b, /etc/c"),
        ([layer(FILES, mtime=5)], CONFIG, "/app/a, /app/b, /etc/c"),
        ([layer({**FILES, "new": ""})], CONFIG, "/new"),
        ([layer({"app/a": "1"})], CONFIG, "2 that only the other has"),
        ([layer({"app/a": "x", "app/b": "2"})], CONFIG, "/app/a and 1 that only the other has"),
        ([layer(FILES), layer({"more": "1"})], CONFIG, "/more"),
        ([layer(FILES)], {**CONFIG, "config": {"Env": ["A=2"], "Cmd": ["sh"]}}, "the config's Env"),
        ([layer(FILES)], {**CONFIG, "created": "now"}, "the config's created"),
        ([layer({**FILES, **{f"f{n}": "" for n in range(8)}})], CONFIG, "/f0, /f1, /f2, /f3, /f4 and 3 more"),
        ([layer({f"f{n}": "" for n in range(500)})], CONFIG, "in more than can be named"),
        ([gzip.compress(layer(FILES))], CONFIG, "in nothing but how its layers are stored, or who owns their files"),
    ],
)  # fmt: skip
def test_what_differs_is_named(tmp_path: Path, layers: list[bytes], config: dict[str, Any], expected: str):
    assert told(tmp_path, image(tmp_path, layer(FILES)), image(tmp_path, *layers, config=config)) == expected


def test_a_layer_that_can_not_be_read(tmp_path: Path):
    with pytest.raises(JobError, match="The two builds can't be compared, since the layer sha256:") as error:
        dict(contents(tmp_path, image(tmp_path, b"\x1f\x8bno")))
    assert error.value.failure.reason is Reason.INTERNAL


BY = {"digest": f"sha256:{'ab' * 32}", "contents": "AAAA", "pod": "app-1", "node": "node-a"}


def test_push_is_told_of_the_first_build():
    more = {"CORROBORATED_BY": json.dumps(BY)}
    request = parse_request(Command.PUSH, {"OUTPUT_IMAGE": "registry.example/app:1", **more})
    assert isinstance(request, PushRequest)
    assert request.attestations.inputs.witness == Witness(BY["digest"], "AAAA", "app-1", "node-a")


@pytest.mark.parametrize("changed", [{"digest": "sha256:1"}, {"node": ""}, {"pod": 1}, {"contents": None}])
def test_a_first_build_that_lacks_something_is_refused(changed: dict[str, object]):
    with pytest.raises(JobError, match=r"CORROBORATED_BY.* write digest, contents, pod and node of the first build"):
        parse_request(
            Command.PUSH, {"OUTPUT_IMAGE": "registry.example/app:1", "CORROBORATED_BY": json.dumps({**BY, **changed})}
        )
