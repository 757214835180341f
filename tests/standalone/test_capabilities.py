"""What each capability of a build is for: without it, a Dockerfile that needs it fails at the line that does."""

from pathlib import Path

import pytest
from standalone.container import CAPABILITIES, Builder, Limits

#: The right to bind low ports, as `setcap` writes it to a file.
FILE_CAPABILITY = "0100000200040000000000000000000000000000"
SET_CAPABILITY = f'import os; os.setxattr("/program", "security.capability", bytes.fromhex("{FILE_CAPABILITY}"))'
OTHER_USER = (
    "/kaniko/.Shim/bin/as-user 1000 keep sleep 30 & sleep 1; grep -q '^Uid:.1000' /proc/$!/status || exit 0; kill $!"
)
#: For each the instructions that need it, and with it those before it.
NEEDED_FOR = {
    "CAP_CHOWN": ["RUN mkdir /mine && chmod 755 /mine && chown 1000:2000 /mine"],
    "CAP_DAC_OVERRIDE": ["RUN touch /mine/file"],
    "CAP_FOWNER": ["RUN chmod 750 /mine"],
    "CAP_FSETID": ["RUN chmod 2750 /mine 2>/dev/null; test -g /mine"],
    "CAP_KILL": [f"RUN {OTHER_USER}"],
    "CAP_SETFCAP": [
        "RUN touch /program",
        f"RUN /kaniko/.Shim/bin/python3 -IBSc {SET_CAPABILITY!r}",
    ],
    "CAP_SETGID": ["USER 1000:1000", "RUN test $(id -u):$(id -g) = 1000:1000"],
    "CAP_SETUID": ["USER 1000:1000", "RUN test $(id -u):$(id -g) = 1000:1000"],
}
DOCKERFILE = ["FROM busybox", *dict.fromkeys(line for lines in NEEDED_FOR.values() for line in lines)]


@pytest.mark.shows("A25")
@pytest.mark.parametrize("missing", [None, *CAPABILITIES])
def test_each_capability_is_needed_and_no_other(
    builder: Builder, source: Path, env: dict[str, str], missing: str | None
):
    (source / "Dockerfile").write_text("\n".join([*DOCKERFILE, ""]))
    done = builder.run(
        "build",
        env=env,
        mounts={"/tmp/source": source},
        limits=Limits(capabilities=tuple(each for each in CAPABILITIES if each != missing)),
    )
    if missing is None:
        assert done.code == 0, done.log
        return
    assert done.code != 0, done.log
    if missing in {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"}:
        # So many images need it that the build is refused before it begins; see test_mistakes.py.
        assert done.result["reason"] == "InvalidSpec"
        return
    assert DOCKERFILE[done.result["dockerfileLine"] - 1] == NEEDED_FOR[missing][-1], done.log
