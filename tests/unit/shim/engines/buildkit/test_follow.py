"""What of a build with BuildKit is in the log, and what is kept of it."""

import json
import os
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerfile.steps import REPEATED
from kaniko_shim.engines.buildkit.follow import Follower
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.system.job import Job
from kaniko_shim.system.paths import Paths

LOGS = Path(__file__).with_name("logs")
DOCKERFILE = b"FROM busybox AS one\nRUN a\nFROM busybox\nENV A=1\nCOPY --from=one /a /a\nRUN b\n"


def follow(tmp_path: Path, lines: Sequence[str], secrets: Sequence[str] = ()) -> tuple[Follower, list[str], Job]:
    log = tmp_path / "log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    job = Job({}, Paths(), Console(Masker(secrets), descriptor), LogTail(), Phases(), Warnings())
    follower = Follower(job, split_stages(parse_dockerfile(DOCKERFILE)).stages)
    for line in lines:
        follower.read(line)
    follower.end()
    os.close(descriptor)
    return follower, log.read_text().splitlines(), job


def vertex(digest: str, name: str, **more: object) -> str:
    return json.dumps({"vertexes": [{"digest": digest, "name": name, "started": "2026-12-01T00:00:00Z", **more}]})


def output(digest: str, content: bytes) -> str:
    return json.dumps({"logs": [{"vertex": digest, "data": b64encode(content).decode()}]})


def progress(place: str, instruction: str) -> str:
    return f'kaniko-shim: progress: {place} instruction="{instruction}"'


def test_a_real_build(tmp_path: Path):
    follower, log, job = follow(tmp_path, (LOGS / "built.log").read_text().splitlines())
    # As the user has written them: BuildKit says which, in its own words. Like Docker, it counts no ENV.
    assert log == [
        progress("stage=1/2 step=1/5", "FROM busybox AS one"),
        progress("stage=1/2 step=2/5", "RUN a"),
        "first",
        "second",
        progress("stage=2/2 step=3/5", "FROM busybox"),
        progress("stage=2/2 step=4/5", "COPY --from=one /a /a"),
        progress("stage=2/2 step=5/5", "RUN b"),
        "no end of line",
    ]
    assert (follower.cache.hits, follower.cache.misses, follower.failed) == (0, 3, None)
    assert job.tail.text == "first\nsecond\nno end of line"


def test_a_real_build_that_is_cached(tmp_path: Path):
    follower, log, _ = follow(tmp_path, (LOGS / "cached.log").read_text().splitlines())
    assert (follower.cache.hits, follower.cache.misses) == (3, 0)
    assert sum(line.startswith("Using caching version of cmd: ") for line in log) == 3


def test_a_real_failure_is_that_of_the_step_not_of_those_that_it_ends(tmp_path: Path):
    follower, log, job = follow(tmp_path, (LOGS / "failed.log").read_text().splitlines())
    assert follower.failed is not None
    assert follower.failed.name == "[one 2/2] RUN echo before && exit 3"
    assert (follower.printed, "before" in log) == ("before", True)
    assert follower.text[-1].startswith("error: failed to solve: process")
    assert job.warnings.texts == ()


def test_triggers_of_a_base_image_belong_to_its_from(tmp_path: Path):
    lines = [vertex("t", "[one 2/4] ONBUILD RUN x"), vertex("a", "[one 4/4] RUN a"), vertex("z", "[nowhere 1/1] RUN z")]
    _, log, _ = follow(tmp_path, lines)
    assert log == [progress("stage=1/2 step=1/5", "FROM busybox AS one"), progress("stage=1/2 step=2/5", "RUN a")]


def test_what_is_completed_again_for_the_export_was_cached_all_the_same(tmp_path: Path):
    done = {"completed": "2026-12-01T00:00:01Z"}
    lines = [vertex("a", "[one 2/2] RUN a", cached=True, **done), vertex("a", "[one 2/2] RUN a", **done)]
    follower, log, _ = follow(tmp_path, lines)
    assert (follower.cache.hits, follower.cache.misses) == (1, 0)
    assert log.count("Using caching version of cmd: RUN a") == 1


def test_steps_side_by_side_say_whose_line_it_is(tmp_path: Path):
    lines = [vertex("a", "[one 2/2] RUN a"), vertex("b", "[stage-1 3/3] RUN b")]
    lines += [output("a", b"from a\nha"), output("b", b"from b\n"), output("a", b"lf\n")]
    _, log, _ = follow(tmp_path, lines)
    a, b = progress("stage=1/2 step=2/5", "RUN a"), progress("stage=2/2 step=5/5", "RUN b")
    froms = (progress("stage=1/2 step=1/5", "FROM busybox AS one"), progress("stage=2/2 step=3/5", "FROM busybox"))
    assert log == [froms[0], a, froms[1], b, a, "from a", b, "from b", a, "half"]


def test_a_step_is_announced_again_after_much_output(tmp_path: Path):
    _, log, _ = follow(tmp_path, [vertex("a", "[one 2/2] RUN a"), output("a", b"line\n" * (2 * REPEATED))])
    announced = [number for number, line in enumerate(log) if line.startswith("kaniko-shim: progress: ")]
    assert announced == [0, 1, REPEATED + 2]


def test_no_part_of_a_secret_is_printed_that_arrives_in_two_pieces(tmp_path: Path):
    secret = "hunter2-and-much-more"
    lines = [
        vertex("a", f"[one 2/2] RUN echo {secret}"),
        output("a", b"it is hunter2-an"),
        output("a", b"d-much-more\n"),
    ]
    _, log, job = follow(tmp_path, lines, [secret])
    assert "it is ***" in log
    assert not any("hunter2" in text for text in (*log, job.tail.text, job.phases.current))


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path: Path):
    _, _, job = follow(tmp_path, [vertex("c", "exporting cache to registry", error="denied")])
    assert job.warnings.texts == ("The cache could not be written: denied",)


def test_checks_of_the_dockerfile_are_warnings_with_their_line(tmp_path: Path):
    said = {"short": b64encode(b"FromAsCasing: 'as' and 'FROM' differ").decode(), "range": [{"start": {"line": 3}}]}
    _, _, job = follow(tmp_path, [json.dumps({"warnings": [said]})])
    assert job.warnings.texts == ("Dockerfile line 3: FromAsCasing: 'as' and 'FROM' differ",)


def test_a_run_that_prints_what_buildctl_would_is_not_believed(tmp_path: Path):
    forged = vertex("x", "[one 1/1] RUN forged", error="forged").encode()
    lines = [vertex("a", "[one 2/2] RUN a"), output("a", forged + b"\nerror: failed to solve: forged\n")]
    follower, log, _ = follow(tmp_path, lines)
    assert (follower.failed, follower.text) == (None, [])
    assert forged.decode() in log


def test_the_images_that_were_pulled_and_none_that_a_dockerfile_makes_up(tmp_path: Path):
    one, other = (f"sha256:{digit * 64}" for digit in "ab")
    lines = [
        vertex("1", f"[one 1/2] FROM docker.io/library/busybox:latest@{one}"),
        vertex("2", f"[linux/arm64 stage-1 1/3] FROM r.example:5000/a/b@{other}"),
        vertex("3", f"[one 2/2] RUN echo '[x] FROM r.example/made-up@{one}'"),
        vertex("4", f"[stage-1 2/3] RUN <<EOF\n[x] FROM r.example/made-up@{one}"),
        vertex("5", "[internal] load metadata for docker.io/library/busybox:latest"),
        output("3", f"[one 1/2] FROM r.example/printed@{one}\n".encode()),
    ]
    follower, _, _ = follow(tmp_path, lines)
    assert follower.bases == {"docker.io/library/busybox:latest": one, "r.example:5000/a/b": other}
