"""The pipelines of docs/how-to/ci: the ImageBuilds that they write are valid, and so are their scripts and workflows.

Pages: docs/how-to/ci/index.md, docs/how-to/ci/github-actions.md, docs/how-to/ci/gitlab.md, docs/how-to/ci/jenkins.md,
docs/how-to/ci/tekton.md.
"""

import os
import re
import subprocess
import sysconfig
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from cluster.artefacts import artefact
from functional.kube import Builds, Kubectl
from support.pages import block_with, blocks

Json = dict[str, Any]
EXAMPLES = Path(__file__).parents[2] / "examples" / "ci"
SHELLCHECK = Path(sysconfig.get_path("scripts")) / "shellcheck"
COMMIT = "4f2c1d9a0b7e6c5d4f3a2b1c0d9e8f7a6b5c4d3e"
#: The variables that each system sets for a job.
VARIABLES = {
    "index": {"COMMIT": COMMIT, "BRANCH": "main"},
    "github-actions": {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "team/app",
        "GITHUB_SHA": COMMIT,
    },
    "gitlab": {
        "CI_PROJECT_URL": "https://gitlab.example.com/team/app",
        "CI_COMMIT_SHA": COMMIT,
        "CI_REGISTRY_IMAGE": "registry.gitlab.example.com/team/app",
        "CI_PROJECT_PATH_SLUG": "team-app",
        "CI_COMMIT_REF_SLUG": "main",
    },
    "jenkins": {"GIT_COMMIT": COMMIT},
    "tekton": {
        "URL": "https://git.example.com/team/app",
        "REVISION": COMMIT,
        "IMAGE": "registry.example.com/team/app:1",
    },
}


def page(name: str) -> str:
    return f"how-to/ci/{name}.md"


def here_document(name: str) -> str:
    """The command of a page that writes the ImageBuild, without its indentation."""
    texts = [text for language in ("sh", "yaml", "groovy") for text in blocks(page(name), language)]
    (found,) = re.findall(r"^ *cat >\S+ <<EOF\n.*?^ *EOF$", "\n".join(texts), re.MULTILINE | re.DOTALL)
    return dedent(found)


def shellcheck(script: str) -> str:
    """What shellcheck says about a script; empty if nothing."""
    command = [str(SHELLCHECK), "--shell=sh", "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("name", VARIABLES)
def test_the_build_of_a_page_is_valid(name: str, builds: Builds, kubectl: Kubectl, tmp_path: Path):
    script = re.sub(r"cat >\S+", "cat >build.yaml", here_document(name))
    environment = {"PATH": os.environ["PATH"], **VARIABLES[name]}
    subprocess.run(["sh", "-eu"], input=script, text=True, cwd=tmp_path, env=environment, check=True)
    file = tmp_path / "build.yaml"
    kubectl("create", "--dry-run=server", "--validate=strict", f"--namespace={builds.namespace}", "-f", str(file))
    build = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert build["metadata"]["generateName"]
    assert build["spec"]["source"]["git"]["revision"] == COMMIT


def test_the_script_is_portable():
    assert not shellcheck((EXAMPLES / "build.sh").read_text(encoding="utf-8"))


def test_the_scripts_of_the_pages_are_portable():
    gitlab = yaml.safe_load(block_with(page("gitlab"), "yaml", "build-image"))
    (step,) = yaml.safe_load(block_with(page("tekton"), "yaml", "kind: Task\n"))["spec"]["steps"]
    component = (EXAMPLES / "gitlab/imagebuild.yml").read_text(encoding="utf-8").split("\n---\n")[1]
    (job,) = yaml.safe_load(re.sub(r"\$\[\[ inputs\.\w+ \]\]", "x", component)).values()
    assert not shellcheck("\n".join([*job["before_script"], *job["script"]]))
    for script in ("\n".join(gitlab["build-image"]["script"]), "\n".join(gitlab["deploy"]["script"]), step["script"]):
        assert not shellcheck(script.removeprefix("#!/bin/sh\n"))


def test_the_workflows_are_valid(tmp_path: Path):
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for name in ("image", "checkout"):
        text = block_with(page("github-actions"), "yaml", f"name: {name}\non:")
        (workflows / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / ".git").mkdir()
    command = [str(artefact("actionlint")), "-no-color", f"-shellcheck={SHELLCHECK}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_job_of_gitlab_has_a_reserved_name():
    reserved = {
        "image",
        "services",
        "stages",
        "types",
        "before_script",
        "after_script",
        "variables",
        "cache",
        "include",
    }
    jobs = yaml.safe_load(block_with(page("gitlab"), "yaml", "build-image"))
    assert not reserved & jobs.keys()
    assert all("script" in job for job in jobs.values())
