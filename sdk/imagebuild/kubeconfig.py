"""What kubeconfigs say: which API server, how to know it, and as whom. As kubectl reads them.

The official client's loader is used for the user field `auth-provider` only: to import it takes two seconds, and it
goes on without credentials when an exec plugin fails.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

Document = Mapping[str, Any]

#: Fields with paths, which are relative to the kubeconfig that they are in.
_PATHS: Final = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}
_LISTS: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True, slots=True)
class Access:
    """An API server and a user.

    Attributes:
        cluster: The fields of the cluster.
        user: The fields of the user.
        namespace: Namespace of the context.
        context: Name of the context.
    """

    cluster: Document
    user: Document = field(default_factory=dict)
    namespace: str = "default"
    context: str = ""

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self.cluster["server"]).rstrip("/")


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One or several kubeconfigs as one.

    Attributes:
        current: Name of the current context; empty if there is none.
        contexts: The contexts by name.
        clusters: The clusters by name.
        users: The users by name.
    """

    current: str
    contexts: Document
    clusters: Document
    users: Document

    def access(self, name: str | None = None) -> Access:
        """Look up a context.

        Args:
            name: Its name. Default: the current context.

        Raises:
            ValueError: it does not exist, or has no server.
        """
        name = name or self.current
        if not name:
            raise ValueError("it has no current context")
        if name not in self.contexts:
            raise ValueError(f"it has no context {name}")
        context = self.contexts[name]
        cluster = self.clusters.get(str(context.get("cluster") or ""))
        if not cluster or not cluster.get("server"):
            raise ValueError(f"context {name} names no cluster that has a server")
        user = self.users.get(str(context.get("user") or "")) or {}
        return Access(cluster, user, str(context.get("namespace") or "default"), name)


def merge(files: Iterable[tuple[Path, object]]) -> Kubeconfig:
    """Make one of several kubeconfigs: of what has the same name in two of them, the first one counts.

    Args:
        files: The path of each, and its content.

    Raises:
        ValueError: one has another form.
    """
    current = ""
    found: dict[str, dict[str, Document]] = {kind: {} for kind in _LISTS}
    for path, content in files:
        document = {} if content is None else content
        if not isinstance(document, dict):
            raise ValueError(f"{path} is not a kubeconfig")  # noqa: TRY004 - of a file, not of an argument
        current = current or str(document.get("current-context") or "")
        for kind, single in _LISTS.items():
            for entry in document.get(kind) or ():
                if not isinstance(entry, dict) or "name" not in entry:
                    raise ValueError(f"an entry of {kind} in {path} has no name")
                fields = _placed(entry.get(single) or {}, _PATHS.get(kind, ()), path.parent)
                found[kind].setdefault(str(entry["name"]), fields)
    return Kubeconfig(current, **found)


def _placed(fields: Document, names: Iterable[str], directory: Path) -> Document:
    """Return fields with absolute paths."""
    changed: dict[str, object] = {name: str(directory / str(fields[name])) for name in names if fields.get(name)}
    plugin = fields.get("exec")
    if isinstance(plugin, dict) and "/" in str(plugin.get("command")):
        changed["exec"] = {**plugin, "command": str(directory / str(plugin["command"]))}
    return {**fields, **changed}


def content(fields: Document, name: str) -> bytes | None:
    """Return what a field such as client-key has, as base64 in NAME-data or as the path of a file; None for neither.

    Raises:
        OSError: the file cannot be read.
        ValueError: the field is no base64.
    """
    if data := fields.get(f"{name}-data"):
        try:
            return base64.b64decode(str(data))
        except binascii.Error as error:
            raise ValueError(f"{name}-data is no base64") from error
    return Path(str(fields[name])).read_bytes() if fields.get(name) else None


def impersonation(user: Document) -> list[tuple[str, str]]:
    """Return the headers of a user that acts as another."""
    headers = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
    headers += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    for name, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{quote(name, safe='')}", value) for value in values]
    return [(name, str(value)) for name, value in headers if value]
