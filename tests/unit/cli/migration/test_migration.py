"""kubectl imagebuild migrate: what becomes of objects of other build systems; nothing is lost without a word.

As in docs/compare/kaniko-pods.md, docs/compare/kpack.md, docs/compare/openshift-builds.md and
docs/compare/shipwright.md.
"""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubectl_imagebuild.migration.fields import seconds, split_image
from kubectl_imagebuild.migration.migrate import migrate

HERE = Path(__file__).parent
PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
SYSTEMS = ("kaniko", "kpack", "openshift", "shipwright")


def objects(name: str) -> list[Any]:
    return list(yaml.safe_load_all((HERE / name).read_text()))


@pytest.mark.parametrize("system", SYSTEMS)
def test_objects_become_these_manifests_and_the_rest_is_said(system: str):
    done = list(migrate(objects(f"{system}.yaml")))
    notes = [f"{each.of}: {note}" for each in done for note in each.notes]
    assert [manifest for each in done for manifest in each.documents] == objects(f"{system}.expected.yaml")
    assert notes == (HERE / f"{system}.notes.txt").read_text().splitlines()


def paths(value: object, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all objects in an object, but those in lists, which are taken as they are."""
    if not isinstance(value, dict):
        return []
    return [at, *(path for name, inner in value.items() for path in paths(inner, (*at, name)))]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_field_that_nobody_knows_is_named_wherever_it_is(system: str):
    for number, document in enumerate(objects(f"{system}.yaml")):
        for path in paths(document.get("spec"), ("spec",)):
            changed = objects(f"{system}.yaml")
            holder = changed[number]
            for name in path:
                holder = holder[name]
            holder["unheardOf"] = "x"
            done = list(migrate(changed))
            said = any("unheardOf" in note for each in done for note in each.notes)
            kept = any("unheardOf" in yaml.safe_dump(each.documents) for each in done)
            is_whole = not done[number].documents
            assert said or kept or is_whole or _is_dropped(path), (document["kind"], path)


def _is_dropped(path: tuple[Any, ...]) -> bool:
    """Objects that mean nothing here as a whole, or that a note is about."""
    return path[-1] in {"strategy", "builder", "cache", "from", "volume"}


def test_the_command_writes_manifests_and_says_the_rest_on_standard_error(tmp_path: Path):
    done = subprocess.run([PROGRAM, "migrate", HERE / "kpack.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert list(yaml.safe_load_all(done.stdout)) == objects("kpack.expected.yaml")
    assert done.stderr == (HERE / "kpack.notes.txt").read_text()
    text = (HERE / "openshift.yaml").read_text()
    done = subprocess.run([PROGRAM, "migrate", "-"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: objects that could not be migrated: 1; the lines above say why"
    assert re.search(r"\n( *)Dockerfile: \|\n\1  FROM busybox\n", done.stdout)
    for content, words in (("", "nothing to migrate"), ("a: [", "not YAML"), ("7", "nothing to migrate")):
        file = tmp_path / "file.yaml"
        file.write_text(content)
        done = subprocess.run([PROGRAM, "migrate", file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr


def test_durations_and_images():
    assert [seconds(text) for text in ("1h30m", "45s", "", "soon", "1h x")] == [5400, 45, None, None, None]
    assert split_image("r.example:5000/a/b") == ("r.example:5000/a/b", "latest")
    assert split_image("r.example:5000/a/b:1@sha256:0") == ("r.example:5000/a/b", "1")
