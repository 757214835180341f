import os
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.mounts.placing import MountError, Places


def places(tmp_path: Path) -> Places:
    spare = tmp_path / "spare"
    spare.mkdir(exist_ok=True)
    return Places(spare)


def test_what_was_there_comes_back_and_what_the_step_left_goes(tmp_path: Path):
    target = tmp_path / "root" / "target"
    target.mkdir(parents=True)
    (target / "own").write_text("own")
    os.utime(target.parent, (1, 1))
    taken = places(tmp_path)
    real = taken.take(str(target))
    assert real == target
    assert not target.exists()
    target.mkdir()
    taken.settle()
    (target / "new").write_text("new")
    taken.give_back()
    assert [path.name for path in target.iterdir()] == ["own"]
    assert target.parent.stat().st_mtime == 1


def test_parents_are_made_and_removed_unless_the_step_wrote_there(tmp_path: Path):
    taken = places(tmp_path)
    taken.take(f"{tmp_path}/a/b/c").mkdir()
    taken.take(f"{tmp_path}/x/y").mkdir()
    taken.settle()
    (tmp_path / "a" / "stays").write_text("")
    taken.give_back()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "spare"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["stays"]


def test_a_link_leads_to_the_place(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    taken = places(tmp_path)
    assert taken.take(f"{tmp_path}/link/x") == tmp_path / "real" / "x"
    taken.give_back()


def test_an_inner_place_lies_in_the_outer_one(tmp_path: Path):
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "own").write_text("")
    taken = places(tmp_path)
    taken.take(f"{tmp_path}/outer").mkdir()
    taken.take(f"{tmp_path}/outer/inner").mkdir()
    taken.settle()
    taken.give_back()
    assert [path.name for path in (tmp_path / "outer").iterdir()] == ["own"]


@pytest.mark.parametrize("place", ["/", "/kaniko/x", "/proc/1", "/sys", "/tmp/../kaniko"])
def test_a_place_of_the_builder_is_refused(tmp_path: Path, place: str):
    with pytest.raises(MountError, match="the builder needs it"):
        places(tmp_path).take(place)
