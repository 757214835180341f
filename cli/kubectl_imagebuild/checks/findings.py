"""What is wrong in a cluster. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kubectl_imagebuild.checks.facts import Facts, Operator, Right
from kubectl_imagebuild.checks.finding import Finding, failed, hidden, ok, warning
from kubectl_imagebuild.checks.nodes import check_nodes
from kubectl_imagebuild.checks.secrets import check_git_secret, check_registry_secret
from kubectl_imagebuild.cluster.reader import Hidden

BUILDS: Final = "imagebuild.dev"
#: Rights without which no build can be started or watched.
NEEDED: Final = (Right("create", "imagebuilds", BUILDS), Right("get", "imagebuilds", BUILDS))
#: Rights without which single commands do not work, each with what it is for.
USEFUL: Final[Mapping[Right, str]] = {
    Right("list", "imagebuilds", BUILDS): "list builds",
    Right("watch", "imagebuilds", BUILDS): "follow builds",
    Right("patch", "imagebuilds", BUILDS): "cancel builds",
    Right("list", "pods"): "follow logs",
    Right("get", "pods/log"): "read logs",
    Right("get", "pods/exec"): "build a directory",
    Right("create", "pods/exec"): "build a directory",
}
#: Seconds for which a build or a Lease may wait for its operator.
PATIENCE: Final = 60.0
_EDIT: Final = "Ask an administrator of the namespace for the ClusterRole edit."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants to be checked.

    Attributes:
        image: An image that is to be pushed; empty for none.
        push_secret: The Secret for pushing; empty for none.
        git_secret: The Secret for Git; empty for none.
        git_url: URL of the repository; empty if it is not given.
    """

    image: str = ""
    push_secret: str = ""
    git_secret: str = ""
    git_url: str = ""


def findings(facts: Facts, wanted: Wanted) -> tuple[Finding, ...]:
    """Check everything, the most basic first."""
    if not facts.is_installed:
        message = "The cluster has no resource imagebuilds.imagebuild.dev."
        return (failed("CRD", message, "Install the operator: see its README."),)
    return (_crd(facts), *_operators(facts), *_rights(facts), *_trial(facts), *_nodes(facts), *_secrets(facts, wanted))


def _crd(facts: Facts) -> Finding:
    if facts.missing is None:
        return hidden("CRD", "imagebuilds.imagebuild.dev is installed; its schema cannot be read.")
    if facts.missing:
        fields = ", ".join(f"spec.{path}" for path in facts.missing)
        hint = "Upgrade the chart, or use the version of this program that fits."
        return warning("CRD", f"imagebuilds.imagebuild.dev is older than this program: it lacks {fields}.", hint)
    return ok("CRD", "imagebuilds.imagebuild.dev has all fields that this program writes.")


def _operators(facts: Facts) -> Iterator[Finding]:
    waiting = _unobserved(facts)
    if isinstance(facts.operators, Hidden):
        if waiting:
            message = (
                f"You may not see the operator, and ImageBuild {waiting} has waited for it for more than a minute."
            )
            yield failed("operator", message, "Ask an administrator of the cluster whether it runs.")
        else:
            yield hidden("operator", "You may not see its Deployment. A build that waits for it shows no phase.")
    elif facts.operator is None:
        count = len(facts.operators)
        message = f"No operator builds namespace {facts.namespace}" + (
            f", of {count} in the cluster." if count else "."
        )
        hint = "Add the namespace to watchNamespaces of the chart." if count else "Install the chart."
        yield failed("operator", message, hint)
    else:
        yield from _operator(facts.operator, facts.now)
        if waiting:
            message = f"ImageBuild {waiting} has waited for an operator for more than a minute."
            yield failed("operator", message, "Read the log of the operator.")


def _operator(operator: Operator, now: datetime) -> Iterator[Finding]:
    found = operator.installation
    name, look = f"{found.namespace}/{found.name}", f"kubectl get pods -n {found.namespace}"
    version = f" (version {found.version})" if found.version else ""
    if not found.available:
        yield failed("operator", f"Deployment {name} has no available pod.", f"Look at them: {look}.")
    else:
        yield ok("operator", f"Deployment {name}{version} is available and watches the namespace.")
    if difference := found.version_difference:
        yield warning("version", difference)
    lease = found.settings.lease
    if lease is None:
        return
    body = operator.lease
    if isinstance(body, Hidden):
        yield hidden("leader", f"You may not read Lease {lease}.")
        return
    spec = (body or {}).get("spec") or {}
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        yield failed("leader", f"No operator holds Lease {lease}.", f"Look at its pods: {look}.")
        return
    age = (now - datetime.fromisoformat(spec["renewTime"])).total_seconds()
    if age > max(PATIENCE, 3 * lease.seconds):
        message = f"Lease {lease} was last renewed {age:.0f} s ago: no operator is the leader."
        yield failed("leader", message, f"Look at its pods: {look}.")
    else:
        yield ok("leader", f"{spec['holderIdentity']} holds Lease {lease}.")


def _unobserved(facts: Facts) -> str:
    """The name of a build that no operator has looked at; empty if there is none."""
    builds = () if isinstance(facts.builds, Hidden) else facts.builds
    for body in builds:
        metadata = body["metadata"]
        age = (facts.now - datetime.fromisoformat(metadata["creationTimestamp"])).total_seconds()
        if not (body.get("status") or {}).get("phase") and age > PATIENCE:
            return str(metadata["name"])
    return ""


def _rights(facts: Facts) -> Iterator[Finding]:
    missing = [right for right, allowed in facts.rights.items() if not allowed]
    if not missing:
        yield ok("rights", "You may create, follow and cancel builds, and build a directory.")
        return
    if needed := [f"{right.verb} {right.resource}" for right in NEEDED if right in missing]:
        yield failed("rights", f"You may not {' or '.join(needed)} in namespace {facts.namespace}.", _EDIT)
    purposes: dict[str, list[str]] = {}
    for right in missing:
        if right in USEFUL:
            purposes.setdefault(USEFUL[right], []).append(f"{right.verb} {right.resource}")
    for purpose, names in purposes.items():
        yield warning("rights", f"You may not {' and '.join(names)}, so you cannot {purpose}.", _EDIT)


def _trial(facts: Facts) -> Iterator[Finding]:
    trial = facts.trial
    if trial.refusal:
        yield failed("admission", f"The API server refuses an ImageBuild: {trial.refusal}")
        return
    explained = trial.explanation
    if explained is None:
        return
    if explained.is_failed:
        yield failed("build pod", explained.message)
    elif explained.phase in {"Queued", "Pending"} and explained.reason:
        yield warning("build pod", f"A build would wait ({explained.reason}). {explained.message}")
    else:
        yield ok("build pod", "A build would begin at once.")
    for note in trial.notes:
        is_missing = " does not exist" in note or " has no key " in note
        yield warning("build pod", note) if is_missing else hidden("build pod", note)


def _nodes(facts: Facts) -> Iterator[Finding]:
    if facts.operator is not None:
        yield from check_nodes(facts.nodes, facts.operator.installation.settings.defaults)


def _secrets(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    for name, body in facts.secrets.items():
        if isinstance(body, Hidden):
            yield hidden(f"Secret {name}", "You may not read it; builds can use it all the same.")
        elif body is None:
            yield failed(f"Secret {name}", f"It does not exist in namespace {facts.namespace}.", "Create it.")
        elif name == wanted.git_secret:
            yield check_git_secret(name, body, wanted.git_url)
        else:
            yield check_registry_secret(name, body, wanted.image if name == wanted.push_secret else "")
