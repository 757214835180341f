"""BuildKit and the builder image side by side. Needs root, runc and overlayfs, and no Kubernetes."""

from collections.abc import Iterator

import pytest
from truth.judge import Judge, judging


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with judging(tmp_path_factory.mktemp("truth")) as found:
        yield found
