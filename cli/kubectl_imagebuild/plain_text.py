"""The steps of a build as lines for a log, as BuildKit's plain progress writes them. Pure."""

from datetime import datetime
from typing import Final

from imagebuild import Build, LogLine
from imagebuild_vocabulary.log_lines import message_of, parse_progress_line

from kubectl_imagebuild.frame import elapsed
from kubectl_imagebuild.steps import Board, State, Step

_WORDS: Final = {
    State.DONE: "DONE {time}",
    State.CACHED: "CACHED",
    State.FAILED: "ERROR after {time}",
    State.CANCELLED: "CANCELED",
}


class PlainText:
    """Numbers the steps, and writes what has changed since the last line."""

    def __init__(self, *, sends: bool = False) -> None:
        self._board = Board(sends=sends)
        self._shown: dict[int, str] = {}
        self._running: list[Step] = []

    def log(self, line: LogLine, now: datetime) -> list[str]:
        """Take a line of the log; the lines to print."""
        step = self._board.log(line, now)
        moment = line.time or self._board.node_time(now)
        is_shown = step.number in self._shown
        own = [f"#{step.number} {step.seconds(moment):.3f} {line.text}"]
        if parse_progress_line(message_of(line.text)):
            return self._changes()
        return [*own, *self._changes()] if is_shown else [*self._changes(), *own]

    def change(self, build: Build, now: datetime) -> list[str]:
        """Take a change of the build; the lines to print."""
        self._board.change(build, now)
        return self._changes()

    def _changes(self) -> list[str]:
        lines = []
        for step in [step for step in self._running if step.state is not State.RUNNING]:
            self._running.remove(step)
            lines.append(f"#{step.number} {_end(step)}")
        for step in self._board.steps[len(self._shown) :]:
            lines.append(f"#{step.number} {step.title}")
            self._shown[step.number] = ""
            if step.state is State.RUNNING:
                self._running.append(step)
            else:
                lines.append(f"#{step.number} {_end(step)}")
        for step in self._running:
            if step.detail not in {"", self._shown[step.number]}:
                self._shown[step.number] = step.detail
                lines.append(f"#{step.number} {step.detail}")
        return lines


def _end(step: Step) -> str:
    return _WORDS[step.state].format(time=elapsed(step.seconds(step.end or step.start)))
