"""Credentials of a user of a kubeconfig: what is sent with each request."""

import asyncio
import base64
import json
import os
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from imagebuild.errors import ConfigError
from imagebuild.kubeconfig import Access, content

#: Seconds for which the content of a token file is used.
REREAD: Final = 60.0
#: Seconds before its end at which a credential of a plugin is no longer used.
MARGIN: Final = 10.0
_HINT: Final = "Try the same with kubectl."


class Credentials:
    """What proves to the API server who asks."""

    def __init__(self, access: Access, paths: str) -> None:
        """Read nothing yet.

        Args:
            access: The user, and the cluster for plugins that want to know it.
            paths: The kubeconfigs, for auth-provider.
        """
        self._access, self._paths = access, paths
        self._header, self._until = "", 0.0
        self._lock = asyncio.Lock()
        #: TLS settings that get the client certificates.
        self.tls = _tls(access)

    async def header(self) -> str:
        """Value of the header Authorization; empty for none.

        Raises:
            ConfigError: a plugin or a file did not give credentials.
        """
        async with self._lock:
            if time.time() >= self._until:
                self._header, self._until = await self._read()
            return self._header

    def forget(self) -> bool:
        """Get new credentials for the next request; False if they would be the same ones."""
        is_new = any(self._access.user.get(kind) for kind in ("exec", "auth-provider", "tokenFile"))
        self._until = 0.0 if is_new else self._until
        return is_new

    async def _read(self) -> tuple[str, float]:
        """Read the header, and until when it is used."""
        user = self._access.user
        if user.get("auth-provider"):
            return await _provided(self._paths, self._access.context), time.time() + REREAD
        if user.get("exec"):
            return await self._run_plugin(user["exec"])
        if user.get("tokenFile"):
            return f"Bearer {_text(user['tokenFile'])}", time.time() + REREAD
        if user.get("token"):
            return f"Bearer {user['token']}", float("inf")
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password') or ''}"
            return f"Basic {base64.b64encode(pair.encode()).decode()}", float("inf")
        return "", float("inf")

    async def _run_plugin(self, plugin: Mapping[str, Any]) -> tuple[str, float]:
        found = await _credential(plugin, self._access.cluster)
        if certificate := found.get("clientCertificateData"):
            _load(self.tls, str(certificate).encode(), str(found.get("clientKeyData") or "").encode())
        end = found.get("expirationTimestamp")
        until = datetime.fromisoformat(end).timestamp() - MARGIN if end else float("inf")
        return f"Bearer {found['token']}" if found.get("token") else "", until


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()


def _tls(access: Access) -> ssl.SSLContext:
    authorities = content(access.cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authorities.decode() if authorities else None)
    # As kubectl does: many clusters have a CA without the key identifiers that this asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if access.cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, key = (content(access.user, name) for name in ("client-certificate", "client-key"))
    if certificate and key:
        _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a client certificate, which Python can only do from files: of this user, and deleted at once."""
    with tempfile.TemporaryDirectory() as directory:
        paths = Path(directory) / "certificate", Path(directory) / "key"
        for path, data in zip(paths, (certificate, key), strict=True):
            path.write_bytes(data)
        context.load_cert_chain(*paths)


async def _credential(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run an exec plugin; the status of its ExecCredential."""
    command, mode = str(plugin.get("command") or ""), plugin.get("interactiveMode") or "IfAvailable"
    is_interactive = mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not is_interactive:
        raise ConfigError(f"The credential plugin {command} needs a terminal.", _HINT)
    version = plugin.get("apiVersion")
    told: dict[str, Any] = {"interactive": is_interactive}
    if plugin.get("provideClusterInfo"):
        told["cluster"] = {name: value for name, value in cluster.items() if name != "extensions"}
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": told}
    variables = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    program = shutil.which(command, path=environment.get("PATH"))
    if program is None:
        hint = str(plugin.get("installHint") or "").strip() or "Install it."
        raise ConfigError(f"The credential plugin {command} was not found.", hint)
    process = await asyncio.create_subprocess_exec(
        program,
        *(str(each) for each in plugin.get("args") or ()),
        env=environment,
        stdin=None if is_interactive else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise ConfigError(f"The credential plugin {command} failed with exit code {process.returncode}.", _HINT)
    try:
        found = json.loads(output)
        status = found.get("status") or {}
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"The credential plugin {command} did not print an ExecCredential.", _HINT) from error
    if found.get("apiVersion") != version or not (status.get("token") or status.get("clientCertificateData")):
        raise ConfigError(f"The credential plugin {command} gave no credentials of version {version}.", _HINT)
    return dict(status)


async def _provided(paths: str, context: str) -> str:
    """Let the official client get the token of an auth-provider, such as oidc."""
    from kubernetes.aio.client import Configuration  # noqa: PLC0415 - the import takes two seconds
    from kubernetes.aio.config import load_kube_config  # noqa: PLC0415 - same

    configuration = Configuration()
    await load_kube_config(paths, context, client_configuration=configuration)
    return str(configuration.api_key.get("BearerToken") or "")
