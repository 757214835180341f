from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.executor.named_owners import NamedOwners


@pytest.mark.parametrize(
    ("passwd", "expected"),
    [
        ("app:x:7:8::/:/bin/sh\n", "line 2: --chown=app gives the files the group 7, where Docker takes the group 8"),
        ("app:x:7:7::/:/bin/sh\n", ""),
        ("other:x:7:8::/:/bin/sh\n", ""),
        (None, ""),
    ],
)
def test_the_group_of_a_user_is_looked_up_when_the_executor_is_there(tmp_path: Path, passwd: str | None, expected: str):
    if passwd is not None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/passwd").write_text(passwd)
    copy = parse_dockerfile(b"FROM x\nCOPY --chown=app a /b\n")[-1]
    owners = NamedOwners({copy: "app"}, tmp_path)
    assert list(owners.read("RUN id")) == []
    found = list(owners.read("COPY --chown=app a /b"))
    assert [each.partition(" of the user.")[0] for each in found] == ([expected] if expected else [])
