"""The map of a namespace below this one, and what keeps the kernel from making one."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from kaniko_shim.engines.buildkit.namespaces import has_own_processes, map_of, missing_isolation, obstacle
from kaniko_shim.request.isolation import parse_isolation

HOST = "         0          0 4294967295\n"
POD = "         0  427819008      65536\n"
CONFINED, FREE = "Name:\tsh\nSeccomp:\t2\nSeccomp_filters:\t1\n", "Name:\tsh\nSeccomp:\t0\n"
PROC = "41 40 0:30 / /proc rw,nosuid - proc proc rw\n"
MASKED = f"{PROC}42 41 0:30 /sys /proc/sys ro - proc proc rw\n43 41 0:31 /null /proc/kcore rw - tmpfs tmpfs rw\n"


def test_the_ids_of_a_pods_namespace_are_all_there():
    assert map_of(POD) == "0 0 65536\n"
    assert map_of("0 1000 1\n1 100000 65535\n") == "0 0 1\n1 1 65535\n"


def test_the_map_of_the_host_is_in_two_parts_and_covers_the_same():
    lines = [list(map(int, line.split())) for line in map_of(HOST).splitlines()]
    assert lines == [[0, 0, 65536], [65536, 65536, 4294901759]]
    assert sum(line[2] for line in lines) == 4294967295


@pytest.mark.parametrize(("mountinfo", "own"), [(PROC, True), ("", True), (MASKED, False)])
def test_parts_of_proc_that_are_covered(mountinfo: str, *, own: bool):
    assert has_own_processes(mountinfo) is own


@pytest.mark.parametrize(
    ("required", "ids", "mountinfo", "words"),
    [
        ("users,processes", POD, PROC, ""),
        ("", HOST, MASKED, ""),
        ("processes", HOST, PROC, ""),
        ("users", HOST, PROC, "the pod has no user namespace of its own"),
        ("users,processes", POD, MASKED, "parts of /proc are covered"),
    ],
)
def test_isolation_that_the_pod_asks_for_and_does_not_have(required: str, ids: str, mountinfo: str, words: str):
    lack = missing_isolation(parse_isolation(required), ids, mountinfo)
    assert (lack[0] if lack else "").startswith(words)
    assert bool(lack) is bool(words)


def test_what_is_no_isolation():
    with pytest.raises(ValueError, match="write users or processes"):
        parse_isolation("users,network")


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (errno.EPERM, CONFINED, "the seccomp profile of the container forbids user namespaces (EPERM)"),
        (errno.EPERM, FREE, "the node forbids user namespaces (EPERM)"),
        (errno.ENOSPC, FREE, "the node's limit of user namespaces is used up or 0 (ENOSPC)"),
        (-1, FREE, "the node forbids user namespaces (-1)"),
    ],
)
def test_why_the_kernel_says_no(number: int, status: str, words: str):
    problem, hint = obstacle(number, status)
    assert problem == words
    assert hint


def test_a_real_namespace_has_all_capabilities_and_no_right_outside(tmp_path: Path):
    """In a process of its own: it forks, and the test's process has threads."""
    script = (
        "import sys, os; from pathlib import Path\n"
        "from kaniko_shim.engines.buildkit.namespaces import start\n"
        "log = Path(sys.argv[1])\n"
        "child = start(('/bin/sh', '-c', 'cat /proc/self/uid_map; grep CapEff /proc/self/status; "
        "mount -t tmpfs none /mnt && echo mounted'), {'PATH': '/usr/bin:/bin'}, log)\n"
        "os.waitpid(child, 0)\n"
        "print(log.read_text())\n"
        "print(os.path.ismount('/mnt'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "log")], capture_output=True, text=True, check=False
    )
    if "EngineUnavailable" in done.stderr or "can't run here" in done.stderr:
        pytest.skip(f"this machine makes no user namespaces: {done.stderr.strip().splitlines()[-1]}")
    assert "mounted" in done.stdout, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("False")
    assert "CapEff:\t000001ffffffffff" in done.stdout
