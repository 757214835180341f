from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.capabilities import MAINTAINED, Support
from kaniko_shim.engines.kaniko.adapt.context.hard_links import warn_of_hard_links


@pytest.mark.parametrize(
    ("line", "support", "warned"),
    [
        ("COPY . /x", Support(), True),
        ("COPY . /x", Support(MAINTAINED), False),
        ("COPY --from=y . /x", Support(), False),
        ("RUN x", Support(), False),
    ],
)
def test_hard_links_are_warned_of_where_they_are_lost(tmp_path: Path, line: str, support: Support, *, warned: bool):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "sub/a")
    warnings = list(warn_of_hard_links(parse_dockerfile(f"FROM x\n{line}\n".encode()), tmp_path, support))
    assert [warning.startswith("The build context has hard links (b and sub/a)") for warning in warnings] == [
        True
    ] * warned
