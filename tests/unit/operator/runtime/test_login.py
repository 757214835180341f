import asyncio
from itertools import pairwise
from pathlib import Path

import aiohttp
import kopf
import pytest
import yaml
from imagebuild_operator.runtime.login import FIRST_PAUSE, LASTING, LONGEST_PAUSE, Login


def test_only_logins_that_do_not_last_are_delayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    document = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "it", "user": {}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    now, pauses = 0.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        pauses.append(seconds)

    async def log_in() -> None:
        nonlocal now
        login = Login(aiohttp.TraceConfig(), lambda: now, sleep)
        for lasts in (0, LASTING, 0, *[0] * 9, LASTING, 0, 0):
            session = await login(kopf.OperatorSettings())
            await session.aiohttp_session.close()
            now += lasts

    asyncio.run(log_in())
    first, *more, last = pauses
    assert first == last == FIRST_PAUSE
    assert more[0] == FIRST_PAUSE
    assert more[-1] == LONGEST_PAUSE
    assert all(later == min(2 * earlier, LONGEST_PAUSE) for earlier, later in pairwise(more))
