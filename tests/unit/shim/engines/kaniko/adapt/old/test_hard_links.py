from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.old.hard_links import warn_of_hard_links


@pytest.mark.parametrize(("line", "warned"), [("COPY . /x", True), ("COPY --from=y . /x", False), ("RUN x", False)])
def test_hard_links_are_warned_of_where_they_are_lost(tmp_path: Path, line: str, *, warned: bool):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "sub/a")
    warnings = list(warn_of_hard_links(parse_dockerfile(f"FROM x\n{line}\n".encode()), tmp_path))
    assert [warning.startswith("The build context has hard links (b and sub/a)") for warning in warnings] == [
        True
    ] * warned
