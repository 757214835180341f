"""The warning about an ImageBuild that the release does not build."""

import json

from functional.kube import Helm, Kubectl, spec
from support.waiting import until

SELECTOR = "team in (a, b), !legacy,tier!=db, app=x , owner, stage notin (dev,test)"
LABELS = {"team": "a", "app": "x", "owner": "me"}


def warning(kubectl: Kubectl, release: str, namespace: str, labels: dict[str, str] | None = None) -> str:
    """What a release warns of when an ImageBuild is created; other releases of the cluster warn, too."""
    metadata = {"name": "hello", **({"labels": labels} if labels is not None else {})}
    body = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": metadata, "spec": spec()}
    done = kubectl.run("create", "--dry-run=server", "-n", namespace, "-f", "-", stdin=json.dumps(body))
    assert done.returncode == 0, done.stderr
    return "".join(line for line in done.stderr.splitlines(keepends=True) if f"(release {release} " in line)


def test_a_build_in_another_namespace_is_warned_of(helm: Helm, kubectl: Kubectl, namespace: str):
    watched = f"--set=watchNamespaces={{{namespace}}}"
    helm("install", "--set=crds.enabled=false", watched, "--set=unwatchedWarning.enabled=true")
    said = until(lambda: warning(kubectl, namespace, "default"))
    assert f"(release {namespace} of namespace {namespace}) does not watch this namespace, only {namespace};" in said
    assert warning(kubectl, namespace, namespace) == ""


def test_a_build_with_other_labels_is_warned_of(helm: Helm, kubectl: Kubectl, namespace: str):
    escaped = SELECTOR.replace(",", "\\,")
    helm("install", "--set=crds.enabled=false", f"--set=buildSelector={escaped}", "--set=unwatchedWarning.enabled=true")
    assert f"match {SELECTOR};" in until(lambda: warning(kubectl, namespace, namespace))
    for labels in (LABELS, {**LABELS, "tier": "web", "stage": "live"}, {**LABELS, "team": "b", "owner": ""}):
        assert warning(kubectl, namespace, namespace, labels) == "", labels
    for changed in ({"team": "c"}, {"legacy": "no"}, {"tier": "db"}, {"app": "y"}, {"stage": "test"}):
        assert warning(kubectl, namespace, namespace, {**LABELS, **changed}), changed
    assert warning(kubectl, namespace, namespace, {"team": "a", "app": "x"})
    assert warning(kubectl, namespace, namespace, {})
