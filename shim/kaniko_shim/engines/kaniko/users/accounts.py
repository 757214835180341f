"""What USER means in an image: ids and groups by its /etc/passwd and /etc/group, as in BuildKit.

Imports nothing, since a program that starts in RUN steps uses it.
"""

_ROOT = "root"
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4
_LARGEST = (1 << 31) - 1


class UnknownUserError(Exception):
    """There is no such user or group."""


def identity(user: str, passwd: str, group: str) -> tuple[int, int, list[int]]:
    """The uid, the gid and all groups of a user.

    Args:
        user: as USER names it: `user`, `uid`, `user:group` and so on.
        passwd: the content of /etc/passwd.
        group: the content of /etc/group.

    Raises:
        UnknownUserError: it is no number, and the file does not have it.
    """
    name, colon, group_name = user.partition(":")
    name = name or "0"
    if colon and (ids := _both_numbers(name, group_name)):
        return ids[0], ids[1], [ids[1]]
    account = next((each for each in _lines(passwd, _PASSWD_FIELDS) if _is(name, each)), None)
    if account is None and not _is_number(name):
        raise UnknownUserError(f"/etc/passwd has no user {name}")
    uid, gid = (_number(account[2]), _number(account[3])) if account else (int(name), 0)
    if group_name:
        gid = _gid(group_name, group)
        return uid, gid, [gid]
    member = account[0] if account else ""
    groups = [_number(each[2]) for each in _lines(group, _GROUP_FIELDS) if member and member in each[3].split(",")]
    return uid, gid, list(dict.fromkeys([gid, *groups]))


def home_of(uid: int, passwd: str) -> str:
    """The home directory of a user; / if there is none."""
    homes = (each[5] for each in _lines(passwd, _PASSWD_FIELDS) if _number(each[2]) == uid)
    return next(homes, "") or "/"


def _gid(name: str, group: str) -> int:
    for each in _lines(group, _GROUP_FIELDS):
        if _is(name, each):
            return _number(each[2])
    if not _is_number(name):
        raise UnknownUserError(f"/etc/group has no group {name}")
    return int(name)


def _is(name: str, row: list[str]) -> bool:
    """Whether a row of either file is meant: a number is never a name."""
    return _number(row[2]) == int(name) if _is_number(name) else row[0] == name


def _both_numbers(name: str, group: str) -> tuple[int, int] | None:
    ids = ["0" if each == _ROOT else each for each in (name, group)]
    return (int(ids[0]), int(ids[1])) if all(map(_is_number, ids)) else None


def _lines(content: str, fields: int) -> list[list[str]]:
    rows = (line.strip() for line in content.split("\n"))
    return [(row.split(":") + [""] * fields)[:fields] for row in rows if row and not row.startswith("#")]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:12]) <= _LARGEST


def _number(text: str) -> int:
    return int(text) if _is_number(text) else 0
