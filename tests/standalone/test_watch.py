"""`watch`: what branches and base images are, in the log of a container that nothing else is done in."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from standalone.container import Builder, Container
from support.git_server import git, make_repository, serve_git
from support.registry import Registry

NOBODY = 65532


def said(container: Container) -> dict[str, dict[str, Any]]:
    """What the log says last, by name."""
    lines = (line.partition("watch: ")[2] for line in container.log.splitlines() if "kaniko-shim: watch: {" in line)
    return {each["name"]: each for each in map(json.loads, lines)}


def wait(container: Container, name: str, field: str, wanted: object) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while (found := said(container).get(name, {})).get(field) != wanted:
        assert time.monotonic() < deadline, container.log
        time.sleep(0.05)
    return found


@contextmanager
def watching(builder: Builder, items: list[dict[str, Any]], env: dict[str, str]) -> Iterator[Container]:
    container = builder.start("watch", env={"WATCH": json.dumps(items), **env}, mounts={}, user=NOBODY)
    try:
        yield container
    finally:
        container.remove()


def test_a_commit_and_a_base_image_that_moves(builder: Builder, registry: Registry, tmp_path: Path):
    repository = tmp_path / "git" / "repository.git"
    first = make_repository(repository, {"Dockerfile": b"FROM busybox\n"})
    image = f"{registry.address}/watched/base:1"
    kinds = [registry.push_artifact("watched/base:1", [(content, {})]) for content in (b"one", b"two")][::-1]
    registry.push_artifact("watched/base:1", [(b"one", {})])
    with serve_git(tmp_path / "git") as url:
        env = {
            "W0_SOURCE_GET_URL": f"git+{url}/repository.git",
            "W0_INSECURE_REGISTRIES": registry.address,
            "W1_SOURCE_GET_URL": f"git+{url}/nowhere.git",
        }
        items = [
            {"name": "web", "sourceSeconds": 10, "images": [image], "imageSeconds": 10},
            {"name": "lost", "sourceSeconds": 10},
        ]
        with watching(builder, items, env) as container:
            found = wait(container, "web", "commit", first)
            assert found["images"] == {image: [kinds[1].removeprefix("sha256:")[:16]]}
            assert found["problem"] == ""
            lost = wait(container, "lost", "commit", None)
            assert "nowhere.git" in lost["problem"]

            git(repository, "commit", "--quiet", "--allow-empty", "--message=second")
            registry.push_artifact("watched/base:1", [(b"two", {})])
            wait(container, "web", "images", {image: [kinds[0].removeprefix("sha256:")[:16]]})
            wait(container, "web", "commit", git(repository, "rev-parse", "HEAD"))


def test_paths_are_looked_at_without_the_files(builder: Builder, tmp_path: Path):
    repository = tmp_path / "git" / "repository.git"
    files = {"web/a/app.py": b"1", "web/README.md": b"1", "other/x": b"1" * 1_000_000}
    make_repository(repository, files)
    git(repository, "config", "uploadpack.allowFilter", "true")
    sent = list[int]()

    def changed(_: bytes, answer: bytes) -> bytes:
        sent.append(len(answer))
        return answer

    def commit(name: str, content: str) -> str:
        (repository / name).write_text(content)
        git(repository, "commit", "--quiet", "--all", "--message=more")
        return git(repository, "rev-parse", "HEAD")

    with serve_git(tmp_path / "git", changed=changed) as url:
        env = {"W0_SOURCE_GET_URL": f"git+{url}/repository.git"}
        items = [{"name": "web", "sourceSeconds": 10, "paths": ["web/**", "!**/*.md"]}]
        with watching(builder, items, env) as container:
            first = wait(container, "web", "commit", git(repository, "rev-parse", "HEAD"))
            assert len(first["tree"]) == 64
            same = [wait(container, "web", "commit", commit(name, "2")) for name in ("other/x", "web/README.md")]
            assert [each["tree"] for each in same] == [first["tree"]] * 2
            assert wait(container, "web", "commit", commit("web/a/app.py", "2"))["tree"] != first["tree"]
    assert max(sent) < 100_000


def test_what_is_wrong_with_the_list_is_said_by_name(builder: Builder):
    items = [{"name": "web", "sourceSeconds": 1}, {"name": "app"}]
    done = builder.run("watch", env={"WATCH": json.dumps(items)}, user=NOBODY)
    assert (done.result["reason"], "web: an interval has 10 to" in done.result["message"]) == ("InvalidSpec", True)
    items = [{"name": "web", "sourceSeconds": 60}]
    done = builder.run("watch", env={"WATCH": json.dumps(items), "W0_SOURCE_GET_URL": "https://x.example/a.zip"})
    assert "web: SOURCE_GET_URL" in done.result["message"]
    assert "only Git repositories are watched" in done.result["message"]
