"""`kubectl imagebuild serve`, and its page in a browser."""

import os
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.browser import Browser, Page

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"


@dataclass(frozen=True)
class Served:
    """A running command.

    Attributes:
        origin: The address of the page.
        token: The token that it has printed.
        process: The command.
    """

    origin: str
    token: str
    process: "subprocess.Popen[str]"

    def url(self, path: str = "/") -> str:
        """The URL of a page, with the token."""
        return f"{self.origin}{path}#token={self.token}"

    def stop(self) -> tuple[int, str]:
        """End it with Ctrl-C; its exit code, and what it has said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@contextmanager
def serving(kubeconfig: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """Run the command for as long as the block runs; no longer. Its environment has these variables, too."""
    with subprocess.Popen(
        [PROGRAM, "serve", *arguments],
        env={**os.environ, "KUBECONFIG": str(kubeconfig), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            assert url, process.communicate(timeout=30)[1]
            origin, _, token = url.partition("/#token=")
            yield Served(origin, token, process)
        finally:
            process.kill()


@contextmanager
def opened(browser: Browser, served: Served, path: str = "/") -> Iterator[Page]:
    """The page; it must log no error, and ask no other host for anything."""
    with browser.page(served.url(path)) as page:
        yield page
        assert page.problems == []
        assert {url for url in page.requests if not url.startswith(f"{served.origin}/")} == set()
