"""Containers that do not allow the job: it is refused before anything is fetched, and the option is named."""

from pathlib import Path

import pytest
from standalone.container import CAPABILITIES, Builder, Done, Limits

NOBODY = 65532
CORE = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER")


def refused(done: Done) -> tuple[str, str]:
    """Message and hint of a job that was refused before it fetched the context."""
    assert (done.code, done.result["reason"]) == (2, "InvalidSpec"), done.log
    assert "source" not in done.result
    return done.result["message"], done.result["hint"]


def test_a_build_needs_root(builder: Builder, source: Path, env: dict[str, str]):
    assert refused(builder.run(env=env, mounts={"/tmp/source": source}, user=NOBODY)) == (
        "A build must run as root in its container; this one runs as user 65532.",
        "Leave out --user 65532 of docker run; in a pod, set securityContext.runAsUser: 0.",
    )


def test_a_build_needs_a_root_file_system_that_it_can_write(builder: Builder, source: Path, env: dict[str, str]):
    done = builder.run(env=env, mounts={"/tmp/source": source}, limits=Limits(read_only=("/",)))
    assert refused(done) == (
        "The root file system of the container is read-only; a build unpacks images into it.",
        "Leave out --read-only of docker run; in a pod, set securityContext.readOnlyRootFilesystem: false.",
    )


def test_a_build_needs_capabilities(builder: Builder, source: Path, env: dict[str, str]):
    done = builder.run(env=env, mounts={"/tmp/source": source}, limits=Limits(capabilities=()))
    message, hint = refused(done)
    assert message.startswith("The container lacks the capabilities CHOWN, DAC_OVERRIDE and FOWNER;")
    assert hint.startswith("Add --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER to docker run;")
    assert hint.endswith("add CHOWN, DAC_OVERRIDE, FOWNER to securityContext.capabilities.add.")


@pytest.mark.parametrize("missing", CORE)
def test_each_of_these_is_named(builder: Builder, source: Path, env: dict[str, str], missing: str):
    limits = Limits(capabilities=tuple(each for each in CAPABILITIES if each != missing))
    message, hint = refused(builder.run(env=env, mounts={"/tmp/source": source}, limits=limits))
    name = missing.removeprefix("CAP_")
    assert message.startswith(f"The container lacks the capability {name};")
    assert hint.startswith(f"Add --cap-add {name} to docker run;")


def test_others_are_only_warned_of(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN true\n")
    done = builder.run(env=env, mounts={"/tmp/source": source}, limits=Limits(capabilities=CORE))
    assert done.code == 0, done.log
    assert [warning.partition(":")[0] for warning in done.result["warnings"]] == [
        f"The container lacks the capability {name}" for name in ("FSETID", "KILL", "SETFCAP", "SETGID", "SETUID")
    ]


@pytest.mark.parametrize("place", ["/kaniko/.run", "/kaniko/buildcontext"])
def test_a_build_needs_its_directories(builder: Builder, source: Path, env: dict[str, str], tmp_path: Path, place: str):
    volume = tmp_path / "volume"
    volume.mkdir()
    done = builder.run(env=env, mounts={"/tmp/source": source, place: volume}, limits=Limits(read_only=(place,)))
    message, hint = refused(done)
    assert message == f"The directory {place} can't be written."
    assert f"--tmpfs {place}" in hint


def test_a_layout_needs_a_volume_that_it_can_write(builder: Builder, source: Path, env: dict[str, str], tmp_path: Path):
    layout = tmp_path / "layout"
    layout.mkdir()
    mounts = {"/tmp/source": source, "/kaniko/layout": layout}
    done = builder.run("build", env=env, mounts=mounts, limits=Limits(read_only=("/kaniko/layout",)))
    assert refused(done)[0] == "The directory /kaniko/layout can't be written."


def test_a_push_needs_a_directory_for_credentials_and_no_root(builder: Builder, env: dict[str, str], tmp_path: Path):
    layout = tmp_path / "layout"
    layout.mkdir()
    done = builder.run("push", env=env, mounts={"/kaniko/layout": layout}, user=NOBODY)
    message, hint = refused(done)
    assert message == "The directory /kaniko/.run can't be written."
    assert f"that user {NOBODY} can write" in hint


def test_a_mount_that_would_be_in_the_way_of_most_images_is_warned_of(
    builder: Builder, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN true\n")
    (tmp_path / "file").touch()
    done = builder.run(env=env, mounts={"/tmp/source": source, "/bin/there": tmp_path / "file"})
    assert done.code == 0, done.log
    (warning,) = done.result["warnings"]
    assert warning.startswith("Something is mounted at /bin/there: an image that has a link in place of /bin can't be")


def test_no_termination_log_is_needed(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN exit 3\n")
    done = builder.run(
        env={**env, "RESULT_FILE": "/tmp/source/result"}, mounts={"/tmp/source": source, "/dev/termination-log": source}
    )
    assert done.code == 3, done.log
    assert (source / "result").is_file()
