"""The flags of kubectl imagebuild."""

from pathlib import Path

import pytest
from kubectl_imagebuild.flags import dockerfile_in


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in ("app/Dockerfile", "app/build/Dockerfile", "app/only/Release.Dockerfile", "Dockerfile"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("FROM scratch\n")
    return Path("app")


@pytest.mark.parametrize(
    ("file", "path"), [("", ""), ("app/Dockerfile", ""), ("app/build/Dockerfile", "build/Dockerfile")]
)
def test_the_dockerfile_is_a_path_in_the_directory(directory: Path, file: str, path: str):
    assert dockerfile_in(directory, file) == path
    assert dockerfile_in(directory.resolve(), str(Path(file).resolve()) if file else "") == path


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("only/Release.Dockerfile", "not a file: write -f app/only/Release.Dockerfile"),
        ("nosuch", "nosuch is not a file: name the Dockerfile"),
        ("Dockerfile", "outside of the directory app: copy it into the directory"),
        ("app/../Dockerfile", "outside of the directory app"),
        ("app", "app is not a file"),
    ],
)
def test_a_wrong_dockerfile_is_refused_with_advice(directory: Path, file: str, message: str):
    with pytest.raises(ValueError, match=message):
        dockerfile_in(directory, file)


def test_a_missing_directory_or_dockerfile_is_refused(directory: Path):
    with pytest.raises(ValueError, match="nosuch is not a directory"):
        dockerfile_in(Path("nosuch"), "")
    with pytest.raises(ValueError, match="app/only/Dockerfile is not a file"):
        dockerfile_in(directory / "only", "")
