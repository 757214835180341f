"""docs/how-to/defaults.md says which value of every field counts, and the operator merges what an ImageBuild has."""

from pathlib import Path

import yaml
from imagebuild_operator.defaults.rules import OF_OUTPUT, SHARED

ROOT = Path(__file__).parents[2]
#: Fields that are no defaults for a field of the same name, or that are looked at when they are needed.
OTHERS = {*OF_OUTPUT, "ttlSecondsAfterFinished", "history", "limits", "allowedServiceAccounts"}


def test_every_field_is_merged_and_has_its_row() -> None:
    [version] = yaml.safe_load((ROOT / "crds" / "imagebuilddefaults.yaml").read_text())["spec"]["versions"]
    fields = set(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])
    assert fields == {*SHARED, *OTHERS}
    page = (ROOT / "docs" / "how-to" / "defaults.md").read_text()
    assert [field for field in fields if f"`{field}" not in page] == []
