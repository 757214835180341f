import os
from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.executor.saved_files import SavedFiles
from kaniko_shim.outcome.errors import JobError

OWNED = "gives the directory /x the owner of /owned (5:6)"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("pipes/deep", "plain", "links", "ids", "hard"):
        (tmp_path / name).mkdir(parents=True)
    os.mkfifo(tmp_path / "pipes/deep/pipe")
    (tmp_path / "plain/link").symlink_to("../pipes")
    (tmp_path / "links/link").symlink_to("x")
    os.lchown(tmp_path / "links/link", 5, 6)
    (tmp_path / "ids/program").touch(0o755)
    (tmp_path / "ids/program").chmod(0o4755)
    (tmp_path / "hard/a").touch()
    (tmp_path / "hard/b").hardlink_to(tmp_path / "hard/a")
    (tmp_path / "owned").touch()
    os.chown(tmp_path / "owned", 5, 6)
    (tmp_path / "link").symlink_to("plain")
    return tmp_path


def saved(root: Path, path: str, copy: str) -> list[str]:
    instructions = parse_dockerfile(f"FROM x AS a\nFROM y\n{copy}\n".encode())
    return list(SavedFiles(instructions, root).read(f"Saving file {path} for later use"))


def copied_from_image(root: Path, copy: str) -> list[str]:
    """The warnings when the executor begins to copy from an image that it has unpacked."""
    (root / "deps/registry.example.com").mkdir(parents=True)
    (root / "deps/registry.example.com/image:1").symlink_to(root)
    instructions = parse_dockerfile(f"FROM x AS a\nFROM y\n{copy}\n".encode())
    files = SavedFiles(instructions, root, [root / "none", root / "deps"])
    return [*files.read(copy), *files.read(copy)]


@pytest.mark.parametrize(
    ("copy", "problem"),
    [
        ("COPY --from=registry.example.com/image:1 /link /x", "line 3: COPY --from copies the link /link itself"),
        ("COPY --from=registry.example.com/image:1 /link/link /x", "copies the link /link/link itself"),
        ("COPY --from=registry.example.com/image:1 /links/ /x", "leaves the symbolic links"),
        ("COPY --from=registry.example.com/image:1 /plain /missing /x/", ""),
        ("COPY --from=registry.example.com/other /owned /x", ""),
    ],
)
def test_what_is_copied_otherwise_from_an_image_is_said_once(root: Path, copy: str, problem: str):
    warnings = copied_from_image(root, copy)
    assert [problem in each for each in warnings] == ([True] if problem else [])


@pytest.mark.parametrize(
    ("copy", "owner", "warned"),
    [
        ("COPY --from=0 /owned /x/", (5, 6), True),
        ("COPY --from=0 /o* x/", (5, 6), True),
        ("COPY --from=0 /directory /x", (5, 6), True),
        # It was there, and stays as it is.
        ("COPY --from=0 /owned /x/", (0, 0), False),
        # No directory is made, or another one, or not by this source.
        ("COPY --from=0 /owned /x", (5, 6), False),
        ("COPY --from=0 /owned /y/", (5, 6), False),
        ("COPY --from=0 /plain /owned /x/", (5, 6), False),
        ("COPY --from=0 --chown=5:6 /owned /x/", (5, 6), False),
    ],
)
def test_an_owner_is_compared_once_the_files_are_copied(root: Path, copy: str, owner: tuple[int, int], *, warned: bool):
    (root / "directory").mkdir()
    os.chown(root / "directory", 5, 6)
    instruction = parse_dockerfile(f"FROM a\nFROM y\n{copy}\n".encode())[-1]
    destinations = {instruction: "/" + copy.rpartition(" ")[2].lstrip("/")}
    (root / "deps").mkdir()
    (root / "deps/0").symlink_to(root)
    files = SavedFiles(
        (*parse_dockerfile(b"FROM a\nFROM y\n"), instruction), root, [root / "deps"], destinations=destinations
    )
    assert [each for each in files.read(copy) if "owner" in each] == []
    (root / "x").mkdir()
    os.chown(root / "x", *owner)
    found = list(files.read("Taking snapshot of files..."))
    assert [OWNED.partition(" /owned")[0] in each for each in found] == [True] * warned


def test_a_pipe_in_an_image_is_refused(root: Path):
    with pytest.raises(JobError, match="the named pipe /pipes/deep/pipe of another stage or image"):
        copied_from_image(root, "COPY --from=registry.example.com/image:1 /pipes /x")


@pytest.mark.parametrize("path", ["pipes", "pipes/deep/pipe"])
def test_what_the_executor_would_wait_for_is_refused(root: Path, path: str):
    with pytest.raises(JobError) as caught:
        saved(root, path, f"COPY --from=a /{path} /x")
    assert caught.value.failure.line == 3
    assert "the named pipe /pipes/deep/pipe" in caught.value.failure.message


@pytest.mark.parametrize(
    ("path", "copy", "problem"),
    [
        ("plain", "COPY --from=a /plain /x", ""),
        ("plain", "COPY --from=a --chown=root /plain /x", ""),
        ("plain", "COPY --from=a --chown=5 /plain /x", "leaves the symbolic links"),
        ("links", "COPY --from=a /links/ /x", "leaves the symbolic links"),
        ("links", "COPY --from=a --chown=0:0 links /x", ""),
        ("ids", "COPY --from=a /id[s] /x", "drops the set-user-ID"),
        ("ids/program", "COPY --from=a /ids/program /x", ""),
        ("hard", "COPY --from=a /hard /x", "copies hard links"),
        ("owned", "COPY --from=a /o* /x/", ""),
        ("owned", "COPY --from=a --chown=5 /owned /x", ""),
        ("link", "COPY --from=a /link /x", "copies the link /link itself"),
        ("plain", "COPY --from=a /plain/link /x", "copies the link /plain/link itself"),
        ("owned", "COPY --from=a /other /x", ""),
        ("missing", "COPY --from=a /missing /x", ""),
    ],
)
def test_what_is_warned_of(root: Path, path: str, copy: str, problem: str):
    warnings = saved(root, path, copy)
    assert len(warnings) == bool(problem)
    assert all(warning.startswith(f"line 3: COPY --from {problem}") for warning in warnings)


def test_an_old_executor_copies_modes(root: Path):
    (root / "plain").chmod(0o700)
    copies = SavedFiles(parse_dockerfile(b"FROM x AS a\nFROM y\nCOPY --from=a /plain /x\n"), root, copies_modes=True)
    (warning,) = copies.read("Saving file plain for later use")
    assert "the mode of /plain (700)" in warning


def test_a_silent_executor_may_wait_for_a_pipe(root: Path):
    files = SavedFiles(parse_dockerfile(b"FROM x AS a\nFROM y\nCOPY --from=a /plain /x\n"), root)
    files.look_again()
    assert list(files.read("Saving file plain for later use")) == []
    os.mkfifo(root / "plain/late")
    with pytest.raises(JobError):
        files.look_again()


def test_what_is_gone_when_it_is_saved_was_seen_at_the_last_snapshot(root: Path):
    text = b"FROM x AS a\nRUN one\nRUN two\nCMD z\nFROM y\nCOPY --from=a /owned /x/\nCOPY --from=0 /id[s] /y\n"
    files = SavedFiles(parse_dockerfile(text), root)
    lines = ["RUN one", "Taking snapshot of full filesystem...", "RUN two", "Taking snapshot of full filesystem..."]
    assert [warning for line in lines for warning in files.read(line)] == []
    (root / "owned").unlink()
    (root / "ids/program").unlink()
    found = [
        *files.read("Saving file ids for later use"),
        *files.read("Saving file owned for later use"),
    ]
    assert [each.split(":")[0] for each in found] == ["line 7"]
    assert "drops the set-user-ID" in found[0]


def test_a_pipe_that_was_saved_is_refused_when_it_is_copied(root: Path):
    (root / "kept").mkdir()
    (root / "pipes").rename(root / "kept/0")
    files = SavedFiles(parse_dockerfile(b"FROM x AS a\nRUN z\nFROM y\nCOPY --from=a /deep /x\n"), root, [root / "kept"])
    with pytest.raises(JobError, match="Line 4 copies the named pipe /deep/pipe"):
        list(files.read("COPY --from=a /deep /x"))
    with pytest.raises(JobError, match="Line 4 copies the named pipe /deep/pipe"):
        files.look_again()


@pytest.mark.parametrize(
    ("copied", "is_warned"), [("/out", True), ("/out/sub", True), ("/out/sub/program", False), ("/outer", False)]
)
def test_capabilities_that_are_known_before_are_named_though_the_files_are_gone(
    tmp_path: Path,
    copied: str,
    is_warned: bool,  # noqa: FBT001 - one of two
):
    instructions = parse_dockerfile(f"FROM x AS a\nFROM y\nCOPY --from=a {copied} /x\n".encode())
    files = SavedFiles(instructions, tmp_path, capable=["/out/sub/"])
    warnings = list(files.read(f"Saving file {copied.strip('/')} for later use"))
    assert [f"drops the capabilities of files in {copied}." in each for each in warnings] == [True] * is_warned
