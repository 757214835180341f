"""kubectl imagebuild migrate: a real API server accepts what it writes."""

import json
from pathlib import Path

import pytest
import yaml
from functional.kube import Kubectl

MIGRATED = Path(__file__).parents[1] / "unit" / "cli" / "migration"


@pytest.mark.parametrize("system", ["kaniko", "kpack", "openshift", "shipwright"])
def test_the_manifests_are_valid(crd: Path, kubectl: Kubectl, namespace: str, system: str):
    assert crd.exists()
    for manifest in yaml.safe_load_all((MIGRATED / f"{system}.expected.yaml").read_text()):
        manifest["metadata"].pop("namespace", None)
        command = ("-n", namespace, "create", "--dry-run=server", "--validate=strict", "-f", "-")
        # A word in capitals is for the user to replace.
        kubectl(*command, stdin=json.dumps(manifest).replace("PUSH-SECRET", "push"))
