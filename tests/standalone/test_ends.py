"""How builds end: in time, with the true cause and the code that goes with it, and without a process left."""

import os
import signal
from pathlib import Path

import pytest
from standalone.container import Builder, Limits
from support.registry import Registry


def test_sigterm_ends_it_in_seconds_and_leaves_nothing(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text(
        "FROM busybox\nRUN trap '' TERM; (trap '' TERM; sleep 600) & echo now $((40 + 2)); sleep 600; wait\n"
    )
    container = builder.start(env=env, mounts={"/tmp/source": source})
    container.wait_for("\nnow 42\n")
    processes = container.processes()
    container.signal(signal.SIGTERM)
    done = container.wait(60)
    assert done.code == 143
    assert (done.result["reason"], done.result["outcome"]) == ("Cancelled", "Failed")
    assert len(processes) >= 4
    assert [pid for pid in processes if Path(f"/proc/{pid}").exists()] == []


def test_sigterm_is_not_lost_while_the_shim_starts(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN sleep 600\n")
    container = builder.start(env=env, mounts={"/tmp/source": source})
    container.wait_until_started()
    container.signal(signal.SIGTERM)
    done = container.wait(60)
    assert (done.code, done.result["reason"]) == (143, "Cancelled")


def test_an_executor_that_is_killed_from_outside_did_not_run_out_of_memory(
    builder: Builder, source: Path, env: dict[str, str]
):
    (source / "Dockerfile").write_text("FROM busybox\nRUN echo now $((40 + 2)); sleep 600\n")
    container = builder.start(env=env, mounts={"/tmp/source": source})
    container.wait_for("\nnow 42\n")
    (executor,) = (pid for pid in container.processes() if container.program(pid) == "/kaniko/executor")
    os.kill(executor, signal.SIGKILL)
    done = container.wait(60)
    assert (done.code, done.result["reason"], done.result["dockerfileLine"]) == (84, "Internal", 2)
    assert done.result["message"].startswith("The executor was killed (SIGKILL), but did not")


def test_an_executor_that_runs_out_of_memory_says_so(builder: Builder, source: Path, env: dict[str, str]):
    # The kernel's first choice is the executor, although it is the RUN that takes the memory.
    (source / "Dockerfile").write_text(
        "FROM busybox\nRUN echo 1000 > /proc/$(pidof executor)/oom_score_adj; tail /dev/zero\n"
    )
    done = builder.run(env=env, mounts={"/tmp/source": source}, limits=Limits(memory=150 * 1024 * 1024))
    assert (done.code, done.result["reason"]) == (83, "OutOfMemory"), done.log
    assert done.result["message"] == "The executor was killed because it ran out of memory."


def test_a_process_left_by_a_run_does_not_keep_the_builder(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN setsid sleep 600 & echo left one\n")
    done = builder.run(env=env, mounts={"/tmp/source": source}, timeout=60)
    assert done.code == 0, done.log


def test_a_failing_run_keeps_its_exit_code(builder: Builder, registry: Registry, source: Path, env: dict[str, str]):
    base = f"{registry.address}/library/busybox:latest"
    (source / "Dockerfile").write_text(
        "# a comment\nFROM busybox\n\nRUN true\n"
        "RUN echo first && \\\n    # why\n    echo the last words; \\\n    exit 42\n"
    )
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert done.code == 42
    assert "the last words" in done.result.pop("logTail")
    done.result.pop("timings")
    done.result.pop("source")
    assert done.result.pop("memory") == {"oomKills": 0}
    assert done.result == {
        "version": 1,
        "command": "all",
        "outcome": "Failed",
        "exitCode": 42,
        "reason": "RunCommandFailed",
        "message": "The RUN in line 5 ended with exit code 42.",
        "hint": "Look at the last lines of the log.",
        "instruction": "RUN echo first && echo the last words; exit 42",
        "dockerfileLine": 5,
        "baseImages": [{"reference": "docker.io/library/busybox:latest", "digest": registry.digest(base)}],
    }


@pytest.mark.parametrize(
    ("dockerfile", "more", "reason", "code"),
    [
        ("FROM busybox\nCOPY nothing /there\n", {}, "CopyFailed", 73),
        ("FROM nosuch/image:1\nRUN true\n", {}, "BaseImageNotFound", 75),
        ("FROM busybox\nRUNN true\n", {}, "DockerfileInvalid", 71),
        ("FROM busybox\nRUN true\n", {"TARGET": "nosuch"}, "TargetNotFound", 74),
        ("FROM busybox\nRUN true\n", {"DOCKERFILE_PATH": "other"}, "DockerfileNotFound", 70),
        ("FROM busybox\nRUN true\n", {"SOURCE_GET_URL": "dir:///nosuch"}, "SourceNotFound", 64),
        ("FROM busybox\nRUN true\n", {"OUTPUT_IMAGE": "127.0.0.1:9/some/app:1"}, "RegistryUnavailable", 80),
    ],
)
def test_each_failure_has_its_reason(
    builder: Builder, source: Path, env: dict[str, str], dockerfile: str, more: dict[str, str], reason: str, code: int
):
    (source / "Dockerfile").write_text(dockerfile)
    done = builder.run(env={**env, **more}, mounts={"/tmp/source": source})
    assert (done.result["reason"], done.code) == (reason, code), done.log
    assert done.result["message"]
    assert done.result["hint"]


def test_what_the_executor_would_skip_is_refused(builder: Builder, source: Path, env: dict[str, str]):
    (source / "Dockerfile").write_text("FROM busybox\nRUN --mount=type=ssh <<'EOF'\nexit 1\nEOF\n")
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert (done.result["reason"], done.result["dockerfileLine"], done.code) == ("DockerfileUnsupported", 2, 72)
