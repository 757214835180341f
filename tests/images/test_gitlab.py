"""The job for GitLab CI in docs/how-to/standalone.md."""

import shlex
from pathlib import Path
from typing import Any

import pages
import yaml
from images.tools import PASSWORD, USERNAME, Tools
from support.registry import Registry

PAGE = "docs/how-to/standalone.md"
#: Names that GitLab reserves at the top level of its file, so that a job can't have them.
RESERVED = frozenset(
    {"after_script", "before_script", "cache", "default", "image", "include", "pages", "services", "spec", "stages"}
    | {"false", "nil", "true", "types", "variables", "workflow"}
)


def documented_job() -> tuple[str, dict[str, Any]]:
    (block,) = (block for block in pages.blocks(PAGE) if block.mark == "tested: tests/images/test_gitlab.py")
    ((name, job),) = yaml.safe_load(block.text).items()
    return name, job


def test_the_job_is_one():
    name, job = documented_job()
    assert name not in RESERVED
    assert all(isinstance(line, str) for line in job["script"])
    assert set(job) <= {"image", "script", "stage", "variables"}


def test_the_script_leaves_no_credentials_in_the_image(tools: Tools, project: Path, registry: Registry):
    podman = tools.get("podman")
    podman.make("shim/image/build.py")
    _, job = documented_job()
    image = f"{registry.address}/gitlab/app"
    variables = {
        **job["variables"],
        "CI_PROJECT_DIR": str(project),
        "CI_REGISTRY": registry.address,
        "CI_REGISTRY_IMAGE": image,
        "CI_REGISTRY_USER": USERNAME,
        "CI_REGISTRY_PASSWORD": PASSWORD,
        "CI_COMMIT_SHORT_SHA": "0123abcd",
    }
    before = set(project.rglob("*"))
    done = podman.shell("\n".join(job["script"]), project, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(project.rglob("*")) == before
    files = registry.files(f"{image}:0123abcd")
    assert files["/app/main.txt"].content == b"text\n"
    assert [path for path, file in files.items() if path.startswith("/app") and b"auths" in file.content] == []
    assert shlex.join(job["script"]).count("auth.json") == 1
