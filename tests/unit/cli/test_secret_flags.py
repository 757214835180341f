"""--secret."""

from pathlib import Path

import pytest
from imagebuild import BuildSecret
from kubectl_imagebuild.secret_flags import read_secrets

VALUE = "hunter2"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(f"{VALUE}\n")
    (tmp_path / "a,b").write_bytes(b"\xff")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("id=npm,src=token", b"hunter2\n"),
        ("type=file,id=npm,source=token", b"hunter2\n"),
        ('id=npm,"src=a,b"', b"\xff"),
        ("id=npm,env=TOKEN", b"hunter2"),
        ("id=npm,type=env,src=TOKEN", b"hunter2"),
        ("id=TOKEN", b"hunter2"),
        ("id=token", b"hunter2\n"),
    ],
)
def test_a_secret_of_this_machine(option: str, value: bytes):
    found = read_secrets([option], {"TOKEN": VALUE})
    assert (list(found.values.values()), found.existing) == ([value], [])
    assert VALUE not in repr(found)


def test_a_secret_that_exists():
    found = read_secrets(["id=npm,secret=tokens,key=npm", "id=b,src=token"])
    assert found.existing == [BuildSecret("npm", "tokens", "npm")]
    assert set(found.values) == {"b"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["hunter2"], "write id=ID,src=FILE or id=ID,env=VARIABLE, or id=ID,secret=NAME,key=KEY for"),
        (["id=a,value=hunter2"], "write id=ID"),
        (["id=a,secret=b"], "write id=ID"),
        (["src=token"], "write id=ID"),
        (["id=a,src=token,env=TOKEN"], "write id=ID"),
        (["id=a,type=vault"], "write id=ID"),
        (["id=a,src="], "write id=ID"),
        ([""], "write id=ID"),
        (["id=a,src=nowhere"], "--secret id=a: nowhere: No such file or directory"),
        (["id=a,env=NOWHERE"], "--secret id=a: the variable NOWHERE is not set"),
        (["id=a,src=token", "id=a,secret=b,key=c"], "--secret id=a: there are two of that id"),
    ],
)
def test_a_wrong_secret_is_refused_without_its_value(options: list[str], message: str):
    with pytest.raises(ValueError, match=message) as caught:
        read_secrets(options, {"TOKEN": VALUE})
    assert "value=" not in str(caught.value)
