import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.run.mounted import MountedRun, mounted_run
from kaniko_shim.engines.kaniko.mounts.placing import MountError, Places
from kaniko_shim.engines.kaniko.mounts.preparing import Sources, prepare


class Step:
    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "root"
        self.context = tmp_path / "context"
        for directory in (self.root, self.context, tmp_path / "spare"):
            directory.mkdir()
        self.places = Places(tmp_path / "spare")
        self.sources = Sources(self.context, tmp_path / "caches", {"npm": b"hunter2\n"})

    def begin(self, *mounts: str, environment: tuple[bytes, ...] = ()) -> list[bytes]:
        return prepare(self.plan(*mounts), environment, str(self.root), self.sources, self.places)

    def plan(self, *mounts: str) -> MountedRun:
        return mounted_run(("true",), mounts, None)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes owners")


@needs_root
def test_a_secret_is_a_file_for_one_step(step: Step):
    assert (
        step.begin("type=secret,id=npm,target=$T,mode=0440,gid=3", environment=(f"T={step.root}/s/npm".encode(),)) == []
    )
    path = step.root / "s" / "npm"
    assert (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_gid) == (b"hunter2\n", 0o440, 3)
    step.places.give_back()
    assert not list(step.root.iterdir())


def test_a_secret_is_a_variable(step: Step):
    assert step.begin("type=secret,id=npm,env=NPM", "type=secret,id=none,env=NONE") == [b"NPM=hunter2\n"]


def test_a_secret_that_is_missing(step: Step):
    assert step.begin(f"type=secret,id=none,target={step.root}/x") == []
    assert not list(step.root.iterdir())
    with pytest.raises(MountError, match="the build has no secret 'none', which this RUN requires"):
        step.begin("type=secret,id=none,required")


@needs_root
def test_a_cache_keeps_what_steps_write(step: Step):
    step.begin("type=cache,target=c,id=a")
    (step.root / "c" / "f").write_text("1")
    step.places.give_back()
    assert not list(step.root.iterdir())
    step.begin("type=cache,target=other,id=a,sharing=private")
    assert (step.root / "other" / "f").read_text() == "1"
    step.places.give_back()


@needs_root
def test_a_cache_of_another_user_is_another_one(step: Step):
    step.begin("type=cache,target=c,id=a,mode=0700,uid=7")
    assert (step.root / "c").stat().st_mode & 0o777 == 0o700
    assert (step.root / "c").stat().st_uid == 7
    (step.root / "c" / "f").write_text("1")
    step.places.give_back()
    step.begin("type=cache,target=c,id=a")
    assert not list((step.root / "c").iterdir())
    step.places.give_back()


@needs_root
def test_a_private_cache_in_use_is_another_one(step: Step, tmp_path: Path):
    step.begin("type=cache,target=c,id=a,sharing=private")
    (step.root / "c" / "f").write_text("1")
    (tmp_path / "second").mkdir()
    places = Places(tmp_path / "second")
    prepare(step.plan("type=cache,target=d,id=a,sharing=private"), (), str(step.root), step.sources, places)
    assert not list((step.root / "d").iterdir())
    places.give_back()
    step.places.give_back()


@needs_root
def test_a_locked_cache_is_not_waited_for_when_the_build_is_stopped(step: Step, tmp_path: Path):
    step.begin("type=cache,target=c,id=a,sharing=locked")
    sources = Sources(step.context, tmp_path / "caches", {}, stopped=lambda: True)
    with pytest.raises(MountError, match="stopped while it waited"):
        prepare(step.plan("type=cache,target=d,id=a,sharing=locked"), (), "/", sources, Places(tmp_path / "spare"))
    step.places.give_back()


def test_a_link_in_a_stage_is_named(step: Step):
    link = step.root / "copied"
    link.symlink_to("/opt/real")
    run = MountedRun("key", ("true",), ("from=s,source=/opt/link,target=/mnt",), {0: str(link)})
    with pytest.raises(MountError, match="the source of the mount at /mnt is a symbolic link"):
        prepare(run, (), "/", step.sources, step.places)


def test_a_working_directory_that_is_hidden_is_made(step: Step):
    inner = step.root / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "own").write_text("")
    prepare(step.plan(f"type=tmpfs,target={step.root}/a"), (), str(inner), step.sources, step.places)
    assert not list(inner.iterdir())
    step.places.give_back()
    assert [path.name for path in inner.iterdir()] == ["own"]


def test_a_bind_does_not_leave_the_context(step: Step):
    (step.context / "out").symlink_to("/etc")
    with pytest.raises(MountError, match="'out/passwd' leads out of the build context"):
        step.begin("source=out/passwd,target=x")
    with pytest.raises(MountError, match=r"the build context has no '\.\./\.\./none'"):
        step.begin("source=../../none,target=x")
    step.places.give_back()
    assert not list(step.root.iterdir())


def test_a_variable_that_makes_a_mount_malformed(step: Step):
    with pytest.raises(MountError, match="--mount: 'other' is not a type"):
        step.begin("type=$T,target=x", environment=(b"T=other",))


@pytest.fixture
def bound(step: Step) -> Step:
    """A context with a directory that can be bound."""
    (step.context / "d").mkdir(mode=0o750)
    (step.context / "d/f").write_text("f")
    (step.context / "d/l").symlink_to("f")
    return step


def test_what_is_bound_from_the_context_is_linked(bound: Step):
    begin = bound.begin(f"type=bind,source=d,target={bound.root}/m", f"type=bind,source=d/f,target={bound.root}/n")
    assert begin == []
    assert (bound.root / "m/f").samefile(bound.context / "d/f")
    assert (bound.root / "n").samefile(bound.context / "d/f")
    assert (bound.root / "m/l").readlink() == Path("f")
    assert (bound.root / "m").stat().st_mode & 0o777 == 0o750
    # What is new is dropped, as the step would not have been able to write it.
    (bound.root / "m/new").touch()
    bound.places.give_back()
    assert not list(bound.root.iterdir())
    assert (bound.context / "d/f").stat().st_nlink == 1
    assert sorted(path.name for path in (bound.context / "d").iterdir()) == ["f", "l"]


@pytest.mark.shows("A56")
@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("f"),
        lambda path: path.chmod(0o600),
        lambda path: os.utime(path, (1, 1)),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("g")),
        lambda path: os.link(path, path.with_name("g")),
    ],
    ids=["write", "chmod", "utime", "unlink", "rename", "link"],
)
def test_a_step_that_changes_what_is_bound_fails(bound: Step, change: Callable[[Path], object]):
    target = bound.root / "m"
    bound.begin(f"type=bind,source=d,target={target}")
    change(target / "f")
    with pytest.raises(MountError, match=f"in the bind mount at {target}, which is read-only in Docker: add rw"):
        bound.places.give_back()
    assert not list(bound.root.iterdir())


@pytest.mark.parametrize("flag", ["rw", "readwrite=true", "ro=false"])
def test_what_is_bound_for_writing_is_a_copy(bound: Step, flag: str):
    bound.begin(f"type=bind,source=d,target={bound.root}/m,{flag}")
    (bound.root / "m/f").write_text("changed")
    bound.places.give_back()
    assert (bound.context / "d/f").read_text() == "f"
