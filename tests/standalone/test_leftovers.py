"""What a RUN leaves running: all of it is gone before the next instruction, whatever its user and however it forks."""

import subprocess
import uuid
from base64 import b64encode
from pathlib import Path

import pytest
from standalone.container import Builder, Limits
from support.registry import Registry

SECRET = "s3cr3t-of-a-later-step"
REST = SECRET[4:]
#: Each process starts the next one and ends: whoever looks at one process after the other always comes too late.
CHAIN = "f() { cat /run/secrets/token >> /tmp/stolen 2>/dev/null; date >> /tmp/poison 2>/dev/null; f & }; f"
BUSY = "while :; do cat /run/secrets/token >> /tmp/stolen 2>/dev/null; date >> /tmp/poison 2>/dev/null; done"
LEFT = {
    "a loop": f"({BUSY}) > /dev/null 2>&1 &",
    "a chain": f"({CHAIN}) > /dev/null 2>&1 &",
    "many chains": f"for i in 1 2 3 4 5 6 7 8; do ({CHAIN}) > /dev/null 2>&1 & done",
    "a session of its own": f"setsid sh -c '{CHAIN}' > /dev/null 2>&1 & sleep 0.5",
    "one that ignores signals": f"(trap '' HUP TERM INT CONT; {BUSY}) > /dev/null 2>&1 &",
}
#: Capabilities of pods whose author left KILL out, as charts before this one did.
WITHOUT_KILL = tuple(
    f"CAP_{each}" for each in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID", "SETFCAP")
)


def write(source: Path, text: str) -> None:
    (source / "Dockerfile").write_text(text)


@pytest.mark.shows("A44")
@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
@pytest.mark.parametrize("user", ["0", "1000:1000"])
def test_nothing_of_a_step_lives_on(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path, left: str, user: str
):
    env |= {"BUILD_SECRET_token": b64encode(SECRET.encode()).decode()}
    write(
        source,
        "FROM busybox AS hostile\nRUN chmod 1777 /tmp\n"
        f"USER {user}\nRUN {left}\n"
        "USER 0\nRUN ps -o pid,user,args > /seen\n"
        "RUN --mount=type=secret,id=token,mode=0444 sleep 0.2 && test -s /run/secrets/token\n"
        "FROM busybox\nCOPY --from=hostile /seen /seen\nCOPY --from=hostile /tmp /theirs\n"
        f"USER {user}\nRUN {left}\n"
        "FROM busybox\nRUN chmod 1777 /tmp\nCOPY --from=1 /seen /seen\nCOPY --from=1 /theirs /theirs\nRUN sleep 0.2\n",
    )
    # Without KILL, the executor itself fails where the process group of a step has another user's process.
    without_kill = [Limits(capabilities=WITHOUT_KILL)] if user == "0" or "setsid" in left else []
    for limits in (Limits(), *without_kill):
        done = builder.run(env=env, mounts={"/tmp/source": source}, limits=limits)
        assert done.code == 0, done.log
        root = registry.pull(env["OUTPUT_IMAGE"], tmp_path / uuid.uuid4().hex)
        found = subprocess.run(["grep", "-rl", REST, root], check=False, capture_output=True, text=True)
        assert not found.stdout
        # Of the other stages nothing is here, but for what was copied.
        assert not list((root / "tmp").iterdir())
        others = [line for line in (root / "seen").read_text().splitlines() if "poison" in line]
        assert others == []


def test_a_daemon_that_a_tool_leaves_behind_is_no_failure(builder: Builder, source: Path, env: dict[str, str]):
    write(source, "FROM busybox\nRUN sleep 300 &\nUSER 1000\nRUN sleep 300 & setsid sleep 300 &\nRUN true\n")
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert done.code == 0, done.log


@pytest.mark.shows("A45")
def test_a_run_can_set_no_limits_for_the_shim(builder: Builder, source: Path, env: dict[str, str]):
    program = "import resource; resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))"
    write(source, f"FROM busybox\nRUN ! /kaniko/.Shim/bin/python3 -IBc '{program}' 2> /said; grep Permission /said\n")
    done = builder.run(env=env, mounts={"/tmp/source": source})
    assert done.code == 0, done.log
