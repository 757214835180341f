"""Inline files, packed into one environment variable."""

import base64
import gzip
import io
import tarfile
from collections.abc import Mapping
from typing import Final

from imagebuild_operator.api.errors import InvalidSpecError

#: Linux limits a variable to 128 KiB (MAX_ARG_STRLEN), its name included.
MAX_URL_LENGTH: Final = 128 * 1024 - 256


def data_url(files: Mapping[str, str]) -> str:
    """Pack files into a `data:` URL of a gzipped tar. The same files always give the same URL.

    Raises:
        InvalidSpecError: the files are too large.
    """
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            content = files[path].encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if content.startswith(b"#!") else 0o644
            tar.addfile(member, io.BytesIO(content))
    packed = gzip.compress(archive.getvalue(), mtime=0)
    url = "data:application/gzip;base64," + base64.b64encode(packed).decode()
    if len(url) > MAX_URL_LENGTH:
        raise InvalidSpecError(
            "spec.source.inline.files",
            f"{len(url)} bytes when packed, and at most {MAX_URL_LENGTH} fit: use configMap, http or git instead",
        )
    return url
