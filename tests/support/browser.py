"""Chromium without a window, driven over the DevTools protocol: what a page shows, does, and asks for."""

import base64
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from support.waiting import until

Json = dict[str, Any]

_TESTS: Final = Path(__file__).parents[1]
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",  # tests run as root
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--mute-audio",
)
#: Seconds for an answer of the browser.
_PATIENCE: Final = 30.0


class Browser:
    """A running browser. Pages share nothing but the process."""

    def __init__(self, folder: Path) -> None:
        """Start it.

        Args:
            folder: For its profile and log.
        """
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # The browser reads from 3 and writes to 4.
        command = 'exec "$@" 3<&%d 4>&%d' % (to_browser, from_browser)  # noqa: UP031 - braces of the shell
        program = shutil.which("chromium") or "chromium"
        self._log = (folder / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *_OPTIONS, f"--user-data-dir={folder / 'profile'}"],
            pass_fds=(to_browser, from_browser),
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._number = 0
        self._answers: dict[int, queue.SimpleQueue[Json]] = {}
        self._pages: dict[str, Page] = {}
        self._reader = threading.Thread(target=self._receive, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        os.close(self._write)
        os.close(self._read)
        self._log.close()

    def call(self, method: str, session: str = "", **parameters: object) -> Json:
        """Call a method of the protocol."""
        self._number += 1
        number = self._number
        answers = self._answers[number] = queue.SimpleQueue()
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = answers.get(timeout=_PATIENCE)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: Json = answer["result"]
        return result

    @contextmanager
    def page(self, url: str = "about:blank", *, width: int = 1280, height: int = 900) -> Iterator["Page"]:
        """A page in a profile of its own, for as long as the block runs."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        made = self._pages[session] = Page(self, session)
        try:
            for domain in ("Page", "Runtime", "Log", "Network"):
                made.call(f"{domain}.enable")
            made.resize(width, height)
            made.open(url)
            yield made
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)

    def _receive(self) -> None:
        rest = b""
        while chunk := os.read(self._read, 1 << 20):
            *messages, rest = (rest + chunk).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    self._answers.pop(message["id"]).put(message)
                elif page := self._pages.get(message.get("sessionId", "")):
                    page.note(message["method"], message["params"])


class Page:
    """A page.

    Attributes:
        problems: Errors of scripts and of the console.
        requests: The URLs that it has asked for.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.problems: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: object) -> Json:
        """Call a method of the protocol."""
        return self._browser.call(method, self._session, **parameters)

    def note(self, method: str, parameters: Json) -> None:
        """Take an event."""
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning", "assert"}:
            self.problems.append(json.dumps(parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(json.dumps(parameters["entry"]))

    def open(self, url: str) -> None:
        """Go to a URL, and wait until it is loaded."""
        self.call("Page.navigate", url=url)
        until(
            lambda: (
                self.run("document.readyState === 'complete' && location.href !== 'about:blank'")
                or url == "about:blank"
            )
        )

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script returns
        """The value of an expression; promises are awaited."""
        done = self.call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
            allowUnsafeEvalBlockedByCSP=True,
        )
        assert "exceptionDetails" not in done, json.dumps(done["exceptionDetails"])
        return done["result"].get("value")

    def until(self, script: str, timeout: float = 30) -> Any:  # noqa: ANN401 - same
        """Wait until an expression is true; its value."""
        return until(lambda: self.run(script), timeout)

    def text(self, selector: str) -> str:
        """The text of an element as a reader sees it; empty if there is none."""
        return str(self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def until_text(self, selector: str, text: str) -> str:
        """Wait until an element shows a text; all that it shows."""
        return until(lambda: shown if text in (shown := self.text(selector)) else "")

    def click(self, selector: str) -> None:
        """Click on an element with the mouse."""
        place = self.until(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return {x: b.x + b.width / 2, y: b.y + b.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def press(self, key: str, code: int = 0) -> None:
        """Press a key, such as Tab or a."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        about = {"key": key, "windowsVirtualKeyCode": code or {"Tab": 9, "Enter": 13, "Escape": 27}.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **about, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.call("Input.insertText", text=text)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Change the size of the window."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark`, and no motion."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self, kind: str = "png", *, whole: bool = False) -> bytes:
        """A screenshot, of the window or of the whole page."""
        about = {"format": kind, **({"quality": 60} if kind == "webp" else {})}
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole, **about)["data"])


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """A browser, installed where it is missing."""
    subprocess.run([sys.executable, "-m", "cluster", "need", "chromium"], cwd=_TESTS, check=True)
    browser = Browser(folder)
    try:
        yield browser
    finally:
        browser.close()
