import asyncio
from pathlib import Path

import aiohttp
import kopf
import pytest
import yaml
from imagebuild_operator.runtime.login import LASTING, MAX_DELAY, Login
from imagebuild_operator.tasks.backoff import FIRST_DELAY


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
    # Each is spread over half of what it is at most.
    assert max(first, more[0], last) <= FIRST_DELAY
    most = [min(FIRST_DELAY * 2**number, MAX_DELAY) for number in range(len(more))]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(more, most, strict=True))
    assert most[-1] == MAX_DELAY
