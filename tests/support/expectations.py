"""What the cases of tests/cases expect, with either executor."""

from pathlib import Path
from typing import Any

import yaml

OLD, SHIPPED = "old", "shipped"
"""The executors that `on` of expected.yaml knows: kaniko up to 1.25, and the maintained line."""


def expected_of(case: Path, executor: str) -> dict[str, Any]:
    """The expectations in a case's directory for one of the executors, `on` resolved; empty if it has none.

    What `on` says for an executor goes before the rest: mappings key by key, all else as a whole, and `fails`
    excludes every other key, as far as it is not null.
    """
    path = case / "expected.yaml"
    expected: dict[Any, Any] = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
    # In YAML 1.1, an `on` without quotes is true.
    special: dict[str, Any] = expected.pop(True, {}) | expected.pop("on", {})
    unknown = special.keys() - {OLD, SHIPPED}
    assert not unknown, f"{path}: `on` knows {OLD} and {SHIPPED}, not {', '.join(sorted(unknown))}"
    for key, value in (special.get(executor) or {}).items():
        general = expected.get(key)
        both = isinstance(general, dict) and isinstance(value, dict) and key != "fails"
        expected[key] = general | value if both else value
    return {key: value for key, value in expected.items() if value is not None}
