"""HTTP's Basic authentication."""

from base64 import b64encode


def basic_auth(user: str, password: str, header: str = "Authorization") -> dict[str, str]:
    """The header with a user and password, in UTF-8 (RFC 7617), as Docker, git and crane write it.

    Args:
        user: the user.
        password: the password.
        header: `Proxy-Authorization` for a proxy.
    """
    return {header: f"Basic {b64encode(f'{user}:{password}'.encode('utf-8', 'surrogateescape')).decode('ascii')}"}
