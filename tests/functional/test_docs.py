"""The YAML of the pages that people read, sent to a real API server, and the script of docs/how-to/monorepo.md."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import GROUP, PLURAL, VERSION, Builds, Kubectl, spec
from pages import MANIFEST, YAML, Block, all_known, blocks, pages
from support.git_server import git, make_repository

Json = dict[str, Any]

ALL = [block for page in pages() for block in blocks(page) if block.language in YAML]
#: Checked with the script below: its placeholders are not valid in fields.
TEMPLATE = "build.yaml"
MONOREPO = "docs/how-to/monorepo.md"
MANIFESTS = [
    block
    for block in ALL
    if MANIFEST.search(block.text) and all_known(block.text) and (block.page, block.title) != (MONOREPO, TEMPLATE)
]
FRAGMENTS = [block for block in ALL if block.mark in ("spec", "defaults")]
HEAD = {"apiVersion": "imagebuild.dev/v1alpha1", "metadata": {"name": "default"}}


def place(block: Block) -> str:
    return block.place


def dry_run(kubectl: Kubectl, namespace: str, body: Json) -> None:
    """Send a manifest, into another namespace: the one of the page does not exist.

    Raises:
        AssertionError: the API server refuses it, or does not know a field.
    """
    body["metadata"].pop("namespace", None)
    arguments = ("--namespace", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-")
    kubectl(*arguments, stdin=yaml.safe_dump(body))


@pytest.mark.usefixtures("crd")
@pytest.mark.parametrize("block", MANIFESTS, ids=place)
def test_a_manifest_is_accepted(kubectl: Kubectl, namespace: str, block: Block):
    for body in yaml.safe_load_all(block.text):
        dry_run(kubectl, namespace, body)


@pytest.mark.usefixtures("crd")
@pytest.mark.parametrize("block", FRAGMENTS, ids=place)
def test_fields_of_a_spec_are_accepted(kubectl: Kubectl, namespace: str, block: Block):
    fields = yaml.safe_load(block.text)
    if block.mark == "spec":
        dry_run(kubectl, namespace, {**HEAD, "kind": "ImageBuild", "spec": spec(**fields)})
    else:
        dry_run(kubectl, namespace, {**HEAD, "kind": "ImageBuildDefaults", "spec": fields})


def test_the_script_for_a_monorepo_builds_what_has_changed(
    builds: Builds, kubectl: Kubectl, namespace: str, tmp_path: Path
):
    [template] = (block for block in blocks(MONOREPO) if block.title == TEMPLATE)
    [script] = (block for block in blocks(MONOREPO) if block.language == "bash")
    repository = tmp_path / "shop"
    files = {f"services/{name}/Dockerfile": b"FROM scratch\n" for name in ("cart", "search", "web")}
    before = make_repository(repository, files)
    (repository / "services/web/a b").write_text("changed")
    (repository / "services/cart/Dockerfile").write_text("FROM busybox\n")
    (repository / "README.md").write_text("changed")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=second")
    after = git(repository, "rev-parse", "HEAD")
    (repository / TEMPLATE).write_text(template.text)
    kubeconfig = yaml.safe_load(kubectl.kubeconfig.read_text())
    for context in kubeconfig["contexts"]:
        context["context"]["namespace"] = namespace
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    environment = {
        **os.environ,
        "PATH": f"{kubectl.program.parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "BEFORE": before,
        "AFTER": after,
    }
    subprocess.run(["bash", "-euo", "pipefail", "-c", script.text], cwd=repository, env=environment, check=True)
    listed: Any = builds.api.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
    made = {build["spec"]["contextDir"]: build["spec"]["source"]["git"]["revision"] for build in listed["items"]}
    assert made == {"services/cart": after, "services/web": after}


def test_there_are_such_blocks():
    assert MANIFESTS
    assert FRAGMENTS
    assert all(re.search(r"\S", block.text) for block in ALL)
