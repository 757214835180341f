import pytest
from kaniko_shim.engines.kaniko.users.accounts import UnknownUserError, home_of, identity

PASSWD = "root:x:0:0:root:/root:/bin/sh\n# no:x:9:9\napp:x:1000:2000::/home/app:/bin/sh\n\n"
PASSWD += " 7name:x:7:8::/seven:\nshort:x:5\n4321:x:1:1::/:\n"
GROUP = "root:x:0:\nextra:x:3000:other,app\nmore:x:3001:app\n"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("app", (1000, 2000, [2000, 3000, 3001])),
        ("1000", (1000, 2000, [2000, 3000, 3001])),
        ("4321", (4321, 0, [0])),
        ("app:extra", (1000, 3000, [3000])),
        ("app:3001", (1000, 3001, [3001])),
        ("app:77", (1000, 77, [77])),
        ("1000:2000", (1000, 2000, [2000])),
        ("7:8", (7, 8, [8])),
        ("root", (0, 0, [0])),
        ("root:root", (0, 0, [0])),
        ("root:5", (0, 5, [5])),
        (":5", (0, 5, [5])),
        ("7name", (7, 8, [8])),
        ("short", (5, 0, [0])),
    ],
)
def test_a_user_has_the_ids_that_docker_gives_it(user: str, expected: tuple[int, int, list[int]]):
    assert identity(user, PASSWD, GROUP) == expected


@pytest.mark.parametrize("user", ["nobody", "app:none", "nobody:0", "99999999999"])
def test_an_unknown_name_is_an_error(user: str):
    with pytest.raises(UnknownUserError):
        identity(user, PASSWD, GROUP)


def test_without_files_there_are_only_numbers():
    assert identity("5", "", "") == (5, 0, [0])
    assert identity("5:6", "", "") == (5, 6, [6])


def test_the_home_directory_is_that_of_the_uid():
    assert [home_of(uid, PASSWD) for uid in (1000, 0, 4321, 5)] == ["/home/app", "/root", "/", "/"]
