"""BuildKit and the builder image side by side. Needs root, runc and overlayfs, and no Kubernetes."""

from collections.abc import Iterator

import pytest
from cluster.settings import cache
from support.executor import note
from truth.judge import Judge, judging


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Judge]:
    # What BuildKit made of a Dockerfile is the same for every builder image.
    with judging(tmp_path_factory.mktemp("truth"), cache() / "truth") as found:
        if not found.builder.is_buildkit:
            note(pytestconfig, found.builder.abilities)
        yield found
