"""Label selectors as the API server evaluates them."""

import pytest
from kubectl_imagebuild.cluster.labels import matches

LABELS = {"team": "a", "tier": "web", "imagebuild.dev/of": ""}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        ("team=a", True),
        ("team==a", True),
        ("team = b", False),
        ("team!=a", False),
        ("other!=a", True),
        ("team", True),
        ("!team", False),
        ("!other", True),
        ("team in (a, b)", True),
        ("team notin (a,b)", False),
        ("other notin (a)", True),
        ("other in (a)", False),
        ("team=a,tier=db", False),
        ("team in (b,a), tier, !x", True),
        ("imagebuild.dev/of=", True),
    ],
)
def test_a_selector(selector: str, selected: bool):  # noqa: FBT001 - a value of the table
    assert matches(selector, LABELS) is selected


def test_no_selector():
    with pytest.raises(ValueError, match="no label selector"):
        matches("team in", {}) or matches("=a", {})
