"""The examples of docs/how-to/gitops.md: builds by commit with Kustomize, and what a change of a build meets."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import GROUP, PLURAL, VERSION, Builds, Kubectl, spec
from kubernetes import client
from support.pages import block_with, manifests

Json = dict[str, Any]
PAGE = "how-to/gitops.md"


def test_every_commit_is_a_build_of_its_own_and_the_last_is_pruned(builds: Builds, kubectl: Kubectl, tmp_path: Path):
    (tmp_path / "build.yaml").write_text(block_with(PAGE, "yaml", "revision: main"), encoding="utf-8")
    kustomization = block_with(PAGE, "yaml", "nameSuffix")
    suffix = yaml.safe_load(kustomization)["nameSuffix"]

    def apply(text: str) -> list[Json]:
        (tmp_path / "kustomization.yaml").write_text(text, encoding="utf-8")
        allowed = f"--prune-allowlist={GROUP}/{VERSION}/ImageBuild"
        kubectl("apply", f"--namespace={builds.namespace}", "-k", str(tmp_path), "--prune", "--all", allowed)
        listed: Any = builds.api.list_namespaced_custom_object(GROUP, VERSION, builds.namespace, PLURAL)
        return list(listed["items"])

    (first,) = apply(kustomization)
    assert first["metadata"]["name"] == f"app{suffix}"
    assert first["spec"]["source"]["git"]["revision"].startswith(suffix.strip("-"))
    assert first["spec"]["output"]["images"] == [f"registry.example.com/team/app:{suffix.strip('-')}"]
    (second,) = apply(kustomization.replace(suffix.strip("-"), "b0c1d2e"))
    assert second["metadata"]["name"] == "app-b0c1d2e"


@pytest.mark.parametrize("how", [[], ["--server-side", "--force-conflicts"]], ids=["client", "server"])
def test_a_changed_build_is_refused_and_what_can_change_is_not(builds: Builds, kubectl: Kubectl, how: list[str]):
    def apply(**fields: object) -> str:
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": {"name": "app"}}
        text = json.dumps({**body, "spec": spec(**fields)})
        return kubectl.run("apply", f"--namespace={builds.namespace}", *how, "-f", "-", stdin=text).stderr

    assert not apply()
    assert not apply()
    assert not apply(suspend=True, priority=3, ttlSecondsAfterFinished=60)
    assert "spec is immutable" in apply(target="release")


def test_flux_can_tell_that_a_change_needs_a_new_object(builds: Builds):
    """Flux deletes and creates, where it is allowed to, what the API server refuses as Invalid (422)."""
    builds.create(spec())
    with pytest.raises(client.ApiException) as refused:
        builds.patch({"spec": {"target": "release"}})
    assert refused.value.status == 422


def test_the_annotations_of_the_tools_are_allowed(builds: Builds, kubectl: Kubectl):
    annotations = {
        "argocd.argoproj.io/sync-options": "Force=true,Replace=true",
        "kustomize.toolkit.fluxcd.io/force": "enabled",
    }
    (build,) = manifests(PAGE, "ImageBuild")
    build["metadata"]["annotations"] = annotations
    kubectl("create", f"--namespace={builds.namespace}", "-f", "-", stdin=json.dumps(build))
    assert builds.get("app")["metadata"]["annotations"] == annotations
