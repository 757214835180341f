import pytest
from kaniko_shim.oci.whiteouts import Whiteout, parse_whiteout


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/.wh.b", Whiteout("a/b", opaque=False)),
        ("./a/.wh.b", Whiteout("./a/b", opaque=False)),
        (".wh.b", Whiteout("b", opaque=False)),
        ("a/.wh..wh..opq", Whiteout("a", opaque=True)),
        (".wh..wh..opq", Whiteout("", opaque=True)),
        ("a/.wh.b/", Whiteout("a/b", opaque=False)),
        ("a/b", None),
        ("a/.wh.b/c", None),
        ("a/x.wh.b", None),
    ],
)
def test_names_of_whiteouts(name: str, expected: Whiteout | None):
    assert parse_whiteout(name) == expected


@pytest.mark.parametrize("name", [".wh.", "a/.wh.", "a/.wh..", "a/.wh..."])
def test_a_whiteout_of_nothing_is_refused(name: str):
    with pytest.raises(ValueError, match="without a name"):
        parse_whiteout(name)
