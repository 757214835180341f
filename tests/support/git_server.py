"""Git's own HTTP backend, behind a small server or behind nginx as Debian has it, and repositories to serve."""

import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.https import Https
from support.ports import free_port
from support.serving import Quiet, serving

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}

# Git serves a repository of another user only if it is told to.
SAFE = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=directory, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make_repository(path: Path, files: Mapping[str, bytes]) -> str:
    """A repository with one commit on `main`; its id."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    git(path, "init", "--quiet", "--initial-branch=main")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "--message=first")
    return git(path, "rev-parse", "HEAD")


@contextmanager
def serve_git(
    root: Path,
    allowed: Callable[[str], bool] = lambda _: True,
    *,
    https: Https | None = None,
    address: str = "127.0.0.1",
    changed: Callable[[bytes, bytes], bytes | None] = lambda _, content: content,
) -> Iterator[str]:
    """Git's own HTTP backend over the repositories below a directory.

    Args:
        root: The directory.
        allowed: Whether a request with an Authorization header gets an answer.
        https: For HTTPS.
        address: Where it listens.
        changed: From what was posted and the answer to what is sent; None resets the connection.
    """

    class Handler(Quiet):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            if not allowed(self.headers.get("Authorization", "")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._chunks()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            variables = {
                "PATH": os.environ["PATH"],
                **SAFE,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            done = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=False)
            head, _, found = done.stdout.partition(b"\r\n\r\n")
            content = changed(body, found) if self.command == "POST" else found
            if content is None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _chunks(self) -> bytes:
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

    with serving(Handler, https, address) as port:
        yield f"{'https' if https else 'http'}://{address}:{port}"


NGINX = """daemon off; user root; pid {here}/nginx.pid; error_log {here}/error.log; events {{}}
http {{
  access_log off;
  client_body_temp_path {here}/body; fastcgi_temp_path {here}/fastcgi; proxy_temp_path {here}/proxy;
  uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  server {{
    listen 127.0.0.1:{port};
    auth_basic "git"; auth_basic_user_file {here}/htpasswd;
    location / {{
      client_max_body_size 0;
      fastcgi_pass unix:{here}/fcgiwrap.sock;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
    }}
  }}
}}
"""


@contextmanager
def serve_git_with_nginx(root: Path, directory: Path, user: str, password: str) -> Iterator[str]:
    """The way in which most servers of one's own do it: nginx, fcgiwrap and a file of passwords."""
    here = directory / "nginx"
    here.mkdir()
    port = free_port()
    accounts = subprocess.run(["htpasswd", "-bn", user, password], check=True, capture_output=True).stdout
    (here / "htpasswd").write_bytes(accounts)
    backend = git(root, "--exec-path") + "/git-http-backend"
    (here / "nginx.conf").write_text(NGINX.format(here=here, port=port, backend=backend, root=root))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    wrapper = shutil.which("fcgiwrap", path="/usr/sbin:/usr/bin")
    assert nginx is not None
    assert wrapper is not None
    socket_path = f"unix:{here}/fcgiwrap.sock"
    processes = [
        subprocess.Popen([wrapper, "-s", socket_path], env=ENVIRONMENT | SAFE, stderr=subprocess.DEVNULL),
        subprocess.Popen([nginx, "-c", here / "nginx.conf", "-e", here / "error.log"]),
    ]
    try:
        _wait(port, here / "fcgiwrap.sock")
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


def _wait(port: int, path: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
        except OSError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)
        else:
            return
