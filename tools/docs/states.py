"""Generates docs/reference/states.md from docs/reference/states.yaml."""

from pathlib import Path
from typing import Any

import yaml

STATES = Path(__file__).parents[2] / "docs" / "reference" / "states.yaml"

HEAD = """\
# The life of a build

<!-- Generated from docs/reference/states.yaml by tools/docs/states.py. -->

For everyone who reads `kubectl get imagebuilds`: what the operator observes, and the phase and reason that follow. The
operator looks whenever the build or its pod changes, and decides from the current state, never from an event: a reason
disappears when its cause does. [reasons.md](reasons.md) says what to do about each reason, and which are retried.

`tests/unit/operator/decide/test_states.py` decides every row with the messages that Kubernetes writes;
`tests/functional/test_states.py` writes those that show in a pod into a real API server and lets them heal.
"""

DOES = {"create": "creates the pod", "delete": "deletes the pod", "attempt": "records the attempt"}


def render() -> str:
    """The page."""
    parts = [HEAD.rstrip("\n")]
    for group in yaml.safe_load(STATES.read_text(encoding="utf-8")):
        parts += [f"\n## {group['group']}\n", "| observation | phase | reason | the operator |", "|---|---|---|---|"]
        parts += [_row(row) for row in group["rows"] if "seen" in row]
    return "\n".join(parts) + "\n"


def _row(row: dict[str, Any]) -> str:
    does = [DOES[name] for name in row.get("does", ())]
    is_over = row["phase"] in {"Succeeded", "Failed", "Cancelled"}
    if "attempt" in row.get("does", ()) and not is_over:
        does.append("creates another")
    elif "refused" in row and not is_over:
        does.append("retries")
    elif not does and row.get("reason") and not is_over:
        does.append("waits")
    return f"| {row['seen']} | {row['phase'] or ''} | {row.get('reason', '')} | {', '.join(does)} |"
