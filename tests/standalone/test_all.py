"""The whole job in one container, as the original README's example shows it."""

from pathlib import Path

from standalone.container import Builder
from standalone.registry import Registry


def test_a_bind_mounted_directory_is_built_and_pushed(
    builder: Builder, registry: Registry, source: Path, env: dict[str, str], tmp_path: Path
):
    (source / "hello.txt").write_text("hello from the source\n")
    (source / "Dockerfile").write_text(
        'FROM busybox\nCOPY hello.txt /greeting/\nRUN echo made > /made.txt && ls /\nCMD ["cat", "/greeting/hello.txt"]\n'
    )
    done = builder.run(env=env, mounts={"/tmp/source": source})

    assert done.code == 0, done.log
    image = env["OUTPUT_IMAGE"]
    assert done.result["digest"] == registry.digest(image)
    registry.pull(image, tmp_path / "image")
    assert (tmp_path / "image/greeting/hello.txt").read_text() == "hello from the source\n"
    assert (tmp_path / "image/made.txt").read_text() == "made\n"
