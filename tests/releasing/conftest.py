from collections.abc import Iterator

import pytest
from standalone.registry import empty_registry
from support.registry import Registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """An empty registry."""
    with empty_registry(tmp_path_factory.mktemp("registry")) as started:
        yield started
