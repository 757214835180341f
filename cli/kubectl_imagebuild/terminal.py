"""Shows a build on a terminal: its steps change in place, and stay on the screen at the end."""

import asyncio
import os
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self, TextIO

from imagebuild import Build, LogLine
from rich.console import Console
from rich.live import Live
from rich.text import Text

from kubectl_imagebuild.frame import Row, Style, failed_lines, final, live
from kubectl_imagebuild.screen_text import clean
from kubectl_imagebuild.steps import Board
from kubectl_imagebuild.text import ending

#: Seconds between two frames.
_INTERVAL: Final = 0.1
_COLOURS: Final = {
    Style.PLAIN: "",
    Style.RUNNING: "",
    Style.DONE: "blue",
    Style.FAILED: "red",
    Style.QUIET: "dim",
}


class Terminal:
    """Shows the steps of a build; a context manager, in a running event loop."""

    def __init__(self, out: TextIO, dockerfile: str = "", *, sends: bool = False) -> None:
        """Prepare the display.

        Args:
            out: The terminal.
            dockerfile: Text of the Dockerfile, if it is known.
            sends: Whether this program sends the build context.
        """
        self._board, self._dockerfile = Board(sends=sends), dockerfile
        self._has_colours = not os.environ.get("NO_COLOR")
        self._console = Console(file=out, force_terminal=True, highlight=False, soft_wrap=True)
        self._live = Live(console=self._console, get_renderable=self._frame, auto_refresh=False, transient=True)
        self._drawing: asyncio.Task[None] | None = None
        self._width = 0

    def __enter__(self) -> Self:
        self._width = self._console.size.width
        self._live.start()
        self._drawing = asyncio.get_running_loop().create_task(self._draw())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
        self._live.stop()
        now = datetime.now(UTC)
        self._print(final(self._board, now, self._console.size.width))
        build = self._board.build
        if build is None or not build.is_finished:
            return
        title, lines = failed_lines(self._board)
        if build.failure is not None and lines:
            self._print([Row("------"), Row(f" > {title}:"), *map(Row, lines), Row("------")])
        text = clean_lines(ending(build, with_log=not lines, dockerfile=self._dockerfile))
        self._print([Row(line, Style.PLAIN if build.succeeded else Style.FAILED) for line in text])

    def line(self, line: LogLine) -> None:
        """Show a line of the log."""
        self._board.log(line, datetime.now(UTC))

    def build(self, build: Build) -> None:
        """Show a change of the build."""
        self._board.change(build, datetime.now(UTC))

    def note(self, text: str) -> None:
        """Show what the user should know."""
        self._board.note = text

    def sent(self, sent: int, size: int) -> None:
        """Show how much of the build context has been sent."""
        self._board.sent(sent, size, datetime.now(UTC))

    async def _draw(self) -> None:
        while True:
            width = self._console.size.width
            if width < self._width:
                # The terminal has wrapped the rows, so that nobody knows how many there are.
                self._console.clear()
            self._width = width
            self._live.refresh()
            await asyncio.sleep(_INTERVAL)

    def _frame(self) -> Text:
        width, height = self._console.size
        rows = live(self._board, datetime.now(UTC), width, height)
        text = Text("\n", no_wrap=True, overflow="crop", end="").join(self._text(row) for row in rows)
        text.no_wrap, text.overflow = True, "crop"
        return text

    def _print(self, rows: list[Row]) -> None:
        for row in rows:
            self._console.print(self._text(row))

    def _text(self, row: Row) -> Text:
        return Text(row.text, style=_COLOURS[row.style] if self._has_colours else "")


def clean_lines(text: str) -> list[str]:
    """The lines of a text, without what the terminal would obey."""
    return [clean(line) for line in text.rstrip("\n").split("\n")]
