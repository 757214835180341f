"""A shared access signature for one blob, made with a storage account's key.

obstore makes them too, but of the blob's name as it stands in the URL; Azure takes the name itself, and refuses
the signature where the two differ.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from urllib.parse import urlencode

_VERSION = "2021-12-02"
# For clocks that differ.
_EARLIER = timedelta(minutes=15)


def sign_blob(account: str, container: str, blob: str, key: str, now: datetime, valid: timedelta) -> str:
    """The query of a URL that lets anyone read a blob.

    Args:
        account: the storage account's name.
        container: the container's name.
        blob: the blob's name.
        key: the account's key, in base64.
        now: the current time, in UTC.
        valid: how long the signature is valid.
    """
    begin, end = ((moment).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (now - _EARLIER, now + valid))
    resource = f"/blob/{account}/{container}/{blob}"
    # The empty ones: policy, addresses, protocol; snapshot, encryption scope, and five headers of the response.
    fields = ["r", begin, end, resource, "", "", "", _VERSION, "b", *[""] * 7]
    digest = hmac.digest(b64decode(key), "\n".join(fields).encode(), hashlib.sha256)
    signature = b64encode(digest).decode()
    return urlencode({"sv": _VERSION, "sr": "b", "sp": "r", "st": begin, "se": end, "sig": signature})
