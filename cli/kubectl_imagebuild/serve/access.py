"""Access to the page: only a browser that was given the token gets anything, and only from the page itself."""

import secrets
from collections.abc import Mapping
from typing import Final

#: Bytes of a token.
TOKEN_BYTES: Final = 24
#: Headers of every answer. The page uses nothing from other hosts, and no page can show it in a frame.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """Make a token that cannot be guessed."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Access:
    """Decides about requests."""

    def __init__(self, port: int, token: str) -> None:
        """Know what to compare with.

        Args:
            port: Port of the server.
            token: The token in the URL that was printed.
        """
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))
        self._token = token

    def refuses_host(self, method: str, headers: Mapping[str, str]) -> str:
        """Why a request is refused whatever it asks for; empty if it is not.

        A page of another host can make a browser send requests here, with a name of its own that resolves to this
        machine (DNS rebinding). Then Host has that name.
        """
        if headers.get("Host", "").lower() not in self._hosts:
            return "Open the page as 127.0.0.1 or localhost."
        is_link = method in {"GET", "HEAD"} and _is_navigation(headers)
        if headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"} and not is_link:
            return "Only the page itself may ask for this."
        return ""

    def has_token(self, headers: Mapping[str, str]) -> bool:
        """Whether a request has the token, without which it gets no data."""
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        # As bytes: text that is not ASCII cannot be compared.
        return scheme == "Bearer" and secrets.compare_digest(given.encode(), self._token.encode())


def _is_navigation(headers: Mapping[str, str]) -> bool:
    """Whether a reader follows a link to the page, from wherever: that shows no data to the page with the link."""
    return headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
