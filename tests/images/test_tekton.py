"""The Task for Tekton in docs/how-to/standalone.md: its step, run by docker as Tekton would run it."""

import json
import shlex
from pathlib import Path
from typing import Any

import pages
import yaml
from images.tools import PASSWORD, USERNAME, Tools
from support.registry import Registry

PAGE = "docs/how-to/standalone.md"
RESULT = "/tekton/results/report"
WORKSPACE = "/workspace/source"


def documented_task() -> dict[str, Any]:
    (block,) = (block for block in pages.blocks(PAGE) if block.mark == "tested: tests/images/test_tekton.py")
    return dict(yaml.safe_load(block.text))


def test_the_step_builds_pushes_and_reports(tools: Tools, project: Path, registry: Registry, tmp_path: Path):
    docker = tools.get("docker")
    docker.make("shim/image/build.py")
    task = documented_task()
    (step,) = task["spec"]["steps"]
    image = f"{registry.address}/tekton/app:1"
    values = {
        "$(workspaces.source.path)": WORKSPACE,
        "$(params.image)": image,
        "$(results.report.path)": RESULT,
    }
    login = {"auths": {registry.address: {"username": USERNAME, "password": PASSWORD}}}
    capabilities = step["securityContext"]["capabilities"]
    command = [
        "docker",
        "run",
        "--rm",
        f"--user={step['securityContext']['runAsUser']}",
        "--entrypoint",
        *step["command"],
    ]
    command += [f"--cap-drop={each}" for each in capabilities["drop"]]
    command += [f"--cap-add={each}" for each in capabilities["add"]]
    command += ["-v", f"{project}:{WORKSPACE}", "-v", f"{tmp_path}:{Path(RESULT).parent}"]
    for entry in step["env"]:
        value = entry.get("value", "")
        for name, replacement in values.items():
            value = value.replace(name, replacement)
        if "valueFrom" in entry:
            assert entry["valueFrom"]["secretKeyRef"] == {"name": "$(params.secret)", "key": ".dockerconfigjson"}
            value = json.dumps(login)
        assert "$(" not in value
        command += ["-e", f"{entry['name']}={value}"]
    done = docker.shell(shlex.join([*command, step["image"]]), project)
    assert done.returncode == 0, done.stdout + done.stderr

    report = json.loads((tmp_path / Path(RESULT).name).read_text())
    assert report["digest"] == registry.digest(image)
    files = registry.files(image)
    assert files["/app/main.txt"].content == b"text\n"
    assert [path for path in files if path.startswith(("/tekton", "/workspace"))] == []
