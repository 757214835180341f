"""RUN --mount beyond one build: caches on a volume, cached layers, and steps that want the secrets of others."""

import json
import signal
import subprocess
import uuid
from base64 import b64encode
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.run.mounted import mounted_run
from standalone.container import Builder, Done
from support.registry import Registry

SECRET = "s3cr3t-of-one-step"
REST = SECRET[4:]


def write(source: Path, dockerfile: str) -> None:
    (source / "Dockerfile").write_text(dockerfile)


def run(builder: Builder, env: dict[str, str], source: Path, **mounts: Path) -> Done:
    places = {place.replace("_", "/"): path for place, path in mounts.items()}
    return builder.run(env=env, mounts={"/tmp/source": source, **places})


def read(registry: Registry, image: str, path: str, scratch: Path) -> str:
    return (registry.pull(image, scratch / uuid.uuid4().hex) / path).read_text()


def test_a_cache_on_a_volume_lasts_for_later_builds(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    volume = tmp_path / "volume"
    volume.mkdir()
    for sharing in ("shared", "locked"):
        write(
            source,
            f"FROM busybox\nRUN --mount=type=cache,id=words,target=/var/words,sharing={sharing} \\\n"
            "  echo word >> /var/words/list && cp /var/words/list /list\n",
        )
        done = builder.run(env=env, mounts={"/tmp/source": source, "/kaniko/.run-caches": volume})
        assert done.code == 0, done.log
    root = registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image")
    assert (root / "list").read_text() == "word\nword\n"
    assert not (root / "var" / "words").exists()


def test_a_bind_from_a_stage_is_there_when_its_layers_are_cached(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    env |= {"CACHE_REPO": f"{registry.address}/cache-{uuid.uuid4().hex[:12]}/layers"}
    for command, expected in (("cat", "tool\n"), ("cat", "tool\n"), ("wc -l <", "1\n")):
        write(
            source,
            "FROM busybox AS tools\nRUN mkdir /opt && echo tool > /opt/tool\nFROM busybox\nRUN echo first > /first\n"
            f"RUN --mount=from=tools,source=/opt,target=/mnt {command} /mnt/tool > /out\nRUN echo last > /last\n",
        )
        done = run(builder, env, source)
        assert done.code == 0, done.log
        assert read(registry, env["OUTPUT_IMAGE"], "out", tmp_path) == expected


def test_a_change_of_what_is_bound_from_the_context_is_noticed(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    env |= {"CACHE_REPO": f"{registry.address}/cache-{uuid.uuid4().hex[:12]}/layers"}
    write(source, "FROM busybox\nRUN --mount=source=in,target=/in cat /in/* > /out\n")
    (source / "in").mkdir()
    hits = []
    for text in ("one", "one", "two"):
        (source / "in" / "file").write_text(text)
        (source / "not-bound").write_text(uuid.uuid4().hex)
        done = run(builder, env, source)
        assert done.code == 0, done.log
        assert read(registry, env["OUTPUT_IMAGE"], "out", tmp_path) == text
        hits.append(done.result["cache"]["hits"])
    assert (hits[0], hits[1] > 0, hits[2]) == (0, True, 0)


# Each tries to get at a secret of another step, and prints the rest of it if it does: the whole would be masked.
THIEVES = {
    "the file": "cat /run/secrets/* 2>/dev/null",
    "the environment of the builder": "cat /proc/*/environ 2>/dev/null",
    "the memory of the builder": "for f in /proc/[0-9]*/mem; do head -c 1 $f; done 2>/dev/null",
    "the command lines": "cat /proc/*/cmdline 2>/dev/null",
    "all files of the builder": "cat $(find /kaniko -type f -size -1000k ! -path '*/.Shim/*') 2>/dev/null",
    "the program of the other step": "/kaniko/.Shim/bin/with-mounts KEY /bin/sh -c 'cat /run/secrets/token' 2>&1",
    "the program in its own place": "exec /kaniko/.Shim/bin/with-mounts KEY /bin/sh -c 'cat /run/secrets/token' 2>&1",
    "the program with the very command": "exec /kaniko/.Shim/bin/with-mounts KEY /bin/sh -c 'COMMAND' 2>&1",
    "the log": 'echo \'time="2026-11-25T00:00:00Z" level=info msg="RUN x"\'; '
    "/kaniko/.Shim/bin/with-mounts KEY /bin/sh -c 'cat /run/secrets/token' 2>&1",
    "a process that stays": "(while :; do cat /run/secrets/token >> /stolen 2>/dev/null; done) > /dev/null 2>&1 &",
}
COMMAND = "test -s /run/secrets/token && sleep 0.2"


@pytest.mark.shows("A38")
def test_no_other_step_gets_a_secret(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    env |= {"BUILD_SECRET_token": b64encode(SECRET.encode()).decode()}
    key = _key("type=secret,id=token,required")
    thefts = {name: theft.replace("KEY", key).replace("COMMAND", COMMAND) for name, theft in THIEVES.items()}
    attempts = [f"RUN <<'THIEF'\n({theft}) > '/SIDE {name}'; true\nTHIEF\n" for name, theft in thefts.items()]
    write(
        source,
        "".join(
            [
                "FROM busybox\n",
                *(attempt.replace("SIDE", "before") for attempt in attempts),
                f"RUN --mount=type=secret,id=token,required {COMMAND}\n",
                *(attempt.replace("SIDE", "after") for attempt in attempts),
            ]
        ),
    )
    done = run(builder, env, source)
    # The step that is to have the secret has it all the same.
    assert done.code == 0, done.log
    assert REST not in done.log + json.dumps(done.result)
    image = registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image")
    assert (image / "after the file").exists()
    found = subprocess.run(["grep", "-rl", REST, image], check=False, capture_output=True, text=True)
    assert not found.stdout
    assert not (image / "run" / "secrets").exists()


def test_a_changed_builder_gets_no_secret(builder: Builder, source: Path, env: dict[str, str]):
    env |= {"BUILD_SECRET_token": b64encode(SECRET.encode()).decode()}
    write(
        source,
        "FROM busybox\nRUN touch /kaniko/.Shim/app/kaniko_shim/engines/kaniko/mounts/step.py\n"
        "RUN --mount=type=secret,id=token cat /run/secrets/token\n",
    )
    done = run(builder, env, source)
    assert done.code == 125
    assert "a RUN step has changed the builder's own files, so no build secret is given out" in done.log


def test_an_unused_secret_is_a_warning(builder: Builder, source: Path, env: dict[str, str]):
    env |= {"BUILD_SECRET_idle": b64encode(SECRET.encode()).decode()}
    write(source, "FROM busybox\nRUN true\n")
    done = run(builder, env, source)
    assert done.code == 0, done.log
    assert any("No RUN mounts the build secret idle." in warning for warning in done.result["warnings"])


def test_a_secret_from_a_mounted_file(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "token").write_bytes(b"\0\xff" * 10)
    write(source, "FROM busybox\nRUN --mount=type=secret,id=token,required wc -c < /run/secrets/token > /length\n")
    done = builder.run(env=env, mounts={"/tmp/source": source, "/kaniko/.build-secrets": secrets})
    assert done.code == 0, done.log
    assert read(registry, env["OUTPUT_IMAGE"], "length", tmp_path) == "20\n"


def test_a_stopped_build_ends_with_its_mounts(builder: Builder, source: Path, env: dict[str, str]):
    write(source, "FROM busybox\nRUN --mount=type=cache,target=/c echo it-runs && sleep 600\n")
    container = builder.start(env=env, mounts={"/tmp/source": source})
    container.wait_for("\nit-runs")
    container.signal(signal.SIGTERM)
    done = container.wait()
    assert (done.code, done.result["reason"]) == (143, "Cancelled")


def _key(*mounts: str) -> str:
    return mounted_run(("x",), mounts, None).key


def test_a_run_cannot_change_the_files_of_the_machine_that_runs_the_tests(
    builder: Builder, source: Path, env: dict[str, str]
):
    files = [Path("/etc/hosts"), Path("/etc/resolv.conf")]
    before = [file.read_bytes() for file in files]
    write(
        source,
        "FROM busybox\nRUN echo 127.0.0.9 changed.example >> /etc/hosts; echo '# changed' >> /etc/resolv.conf; true\n",
    )
    done = run(builder, env, source)
    assert done.code == 0, done.log
    assert [file.read_bytes() for file in files] == before
