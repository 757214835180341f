"""The files in which package managers record what is installed, and how they are read. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from kaniko_shim.sbom.packages import Distribution, Package
from kaniko_shim.system.json_text import load_json

_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n")
OS_RELEASE: Final = ("etc/os-release", "usr/lib/os-release")


def read_dpkg(text: str) -> Iterator[Package]:
    """Packages of Debian's status file: https://manpages.debian.org/dpkg-query."""
    for fields in _paragraphs(text):
        status = fields.get("Status", "install ok installed")
        if fields.get("Package") and fields.get("Version") and status.endswith(" installed"):
            yield Package("deb", fields["Package"], fields["Version"], fields.get("Architecture", ""))


def read_apk(text: str) -> Iterator[Package]:
    """Packages of Alpine's database: https://wiki.alpinelinux.org/wiki/Apk_spec."""
    for paragraph in _split(text, re.compile("\n\n")):
        fields = dict(line.split(":", 1) for line in paragraph.splitlines() if line[1:2] == ":")
        if fields.get("P") and fields.get("V"):
            yield Package("apk", fields["P"], fields["V"], fields.get("A", ""), fields.get("L", ""))


def read_python(text: str) -> Iterator[Package]:
    """The package of a distribution's METADATA: https://packaging.python.org/specifications/core-metadata/."""
    fields = next(_paragraphs(text), {})
    if fields.get("Name") and fields.get("Version"):
        name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
        yield Package("pypi", name, fields["Version"], license=fields.get("License-Expression", ""))


def read_npm(text: str) -> Iterator[Package]:
    """The package of a package.json: https://docs.npmjs.com/cli/configuring-npm/package-json."""
    try:
        document = load_json(text)
    except ValueError:
        return
    if not isinstance(document, dict):
        return
    name, version, terms = (document.get(key) for key in ("name", "version", "license"))
    if isinstance(name, str) and isinstance(version, str) and name and version:
        yield Package("npm", name, version, license=terms if isinstance(terms, str) else "")


def read_os_release(text: str) -> Distribution:
    """The distribution that an os-release names: https://www.freedesktop.org/software/systemd/man/os-release.html."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    fields = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return Distribution(fields.get("ID", ""), fields.get("VERSION_ID", ""), fields.get("PRETTY_NAME", ""))


_Reader = Callable[[str], Iterator[Package]]

#: The pattern of a file's path, and the function that reads it.
_READERS: Final[tuple[tuple[re.Pattern[str], _Reader], ...]] = (
    (re.compile(r"var/lib/dpkg/status"), read_dpkg),
    # One file per package, as in distroless images.
    (re.compile(r"var/lib/dpkg/status\.d/[^/]+(?<!\.md5sums)"), read_dpkg),
    (re.compile(r"(?:usr/)?lib/apk/db/installed"), read_apk),
    (re.compile(r"(?:.*/)?[^/]+\.dist-info/METADATA"), read_python),
    (re.compile(r"(?:.*/)?[^/]+\.egg-info/PKG-INFO"), read_python),
    (re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@]+/package\.json"), read_npm),
)

#: Databases that can't be read here, so that the SBOM lacks their packages.
_UNREAD: Final = re.compile(r"(?:var/lib|usr/lib/sysimage)/rpm/(?:rpmdb\.sqlite|Packages|Packages\.db)")


def reader_of(path: str) -> _Reader | None:
    """The function that reads a file; None for a file that lists no packages."""
    return next((reader for pattern, reader in _READERS if pattern.fullmatch(path)), None)


def is_unread(path: str) -> bool:
    """Whether a file lists packages in a format that can't be read here."""
    return _UNREAD.fullmatch(path) is not None


def _split(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    """The parts of a text one by one: of a large one, a list of them would take several times as much memory."""
    begin = 0
    for match in separator.finditer(text):
        yield text[begin : match.start()]
        begin = match.end()
    yield text[begin:]


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    """Fields of a text like RFC 822; continuation lines are dropped, since no field that is read here has any."""
    for paragraph in _split(text.replace("\r\n", "\n"), _BLANK_LINE):
        pairs = (line.partition(":") for line in paragraph.splitlines() if line[:1] not in {" ", "\t", ""})
        if fields := {name: value.strip() for name, colon, value in pairs if colon}:
            yield fields
