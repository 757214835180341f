"""A RUN may print anything: each of its lines reaches the log once, in order, at a cost that is linear."""

import os
import time
import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.dockerfile.steps import Steps
from kaniko_shim.engines.kaniko.executor.follow import Follower
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.system.job import LONGEST_PHASE, Job
from kaniko_shim.system.paths import Paths
from unit.shim.engines.kaniko.executor.reading import read

#: What the executor prints, and what the shim does; a RUN may print the same.
FORMS = (
    *("Error: ", "Error: unknown flag: --x", "error building image: ", "error pushing image: ", "fatal error: "),
    *("panic: ", "getting tag ", "Usage:", "kaniko-shim: ", "kaniko-shim: progress: stage=1/1 step=1/1 instruction="),
    *(
        'level=info msg="x"',
        "level=error msg=x",
        'time="x" level=info msg="y" component=z',
        "waiting for process to exit: ",
    ),
)
MESSAGES = (
    *("RUN x", "Running: [/bin/sh -c x]", "Pushing image to r.example/app:1", "Retrieving image manifest busybox"),
    *("Using caching version of cmd: x", "No cached layer found for cmd x", "Taking snapshot of full filesystem..."),
    *("Error uploading layer to cache: x", "Building stage 'x'", "Executing 2 build triggers", "No files to copy"),
    "Failed to retrieve image m.example/x from remapped registry m.example: x. Will try with the next",
)
TEXT = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=30)
PLAIN = st.builds(str.__add__, st.sampled_from(FORMS) | TEXT, TEXT).filter(lambda line: 'time="20' not in line)
RECORDS = st.builds(
    lambda level, message: (f'time="2026-11-24T08:00:00Z" level={level} msg="{message}"', level, message),
    st.sampled_from(["info", "warning", "error"]),
    st.sampled_from(MESSAGES) | st.text("abc :=/'", max_size=20),
)


def shown(level: str, message: str) -> str:
    return message if level == "info" else f"{level.upper()}: {message}"


LINES = PLAIN.map(lambda line: (line, [line])) | RECORDS.map(lambda record: (record[0], [shown(*record[1:])]))


@given(st.lists(LINES, max_size=30))
def test_each_line_is_shown_once_in_order_whatever_was_before(lines: list[tuple[str, list[str]]]):
    progress = Progress()
    printed = read(progress, *(line for line, _ in lines))
    assert printed == [each for _, expected in lines for each in expected]


@given(st.lists(LINES, max_size=30))
def test_each_line_reaches_log_and_tail(lines: list[tuple[str, list[str]]]):
    reader, writer = os.pipe()
    job = Job({}, Paths(), Console(Masker(), writer), LogTail(), Phases(), Warnings())
    follower = Follower(job, Progress())
    for line, _ in lines:
        follower.read(line)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        log = stream.read().decode().split("\n")[:-1]
    expected = [each for _, texts in lines for each in texts]
    # The shim's own lines stand between those of the RUN.
    assert [line for line in log if not line.startswith("kaniko-shim: warning: ")] == expected
    assert job.tail.text == "\n".join(expected[-40:])


@given(TEXT)
def test_output_without_a_line_end_before_a_record_is_whole(text: str):
    record = 'time="2026-11-24T08:00:00Z" level=info msg="Taking snapshot"'
    assert [each for each in read(Progress(), text + record) if each] == [*filter(None, [text]), "Taking snapshot"]


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r"a\\x41", r"a\x41"),
        (r"\x41\u00e9\U0001F600", "Aé😀"),
        (r"\a\v\t\"\\", '\a\v\t"\\'),
        (r"C:\\new", r"C:\new"),
    ],
)
def test_a_message_is_unquoted_as_it_was_quoted(quoted: str, text: str):
    assert read(Progress(), f'time="2026-11-24T08:00:00Z" level=info msg="{quoted}"') == [text]


def test_the_error_of_the_executor_counts_and_not_what_a_run_printed():
    end = "error building image: error building stage: failed to execute command: waiting for process to exit: exit 3"
    for before in ("Error: mine", "panic: mine", "error building image: mine"):
        for last in (end, "no line end" + end):
            progress = Progress()
            for line in (before, *["more"] * 100, last):
                read(progress, line)
            assert progress.error == end


def hostile(kind: str, count: int) -> Iterable[str]:
    """Many lines of a kind, or one long line."""
    start = 'time="2026-11-24T08:00:00Z" level=info msg='
    many: dict[str, Callable[[int], str]] = {
        "after an error": lambda number: "panic: x" if not number else f"line {number}",
        "errors": lambda number: f"panic: {number}",
        "instructions": lambda number: f'{start}"RUN {number}"',
        "mirrors": lambda number: f'{start}"Failed to retrieve image {number} from remapped registry m: x"',
        "warnings": lambda number: f'{start}"Error uploading layer to cache: {number}"',
        "phases": lambda number: f'{start}"Pushing image to {number}{"x" * 100}"',
    }
    if kind in many:
        return (many[kind](number) for number in range(count))
    long = {
        "quotes": start + '"' + '\\"' * count * 20,
        "beginnings": 'time="2026-11-24T' * count * 3,
        "levels": start + 'time="2026-11-24T" level=a' * count * 2,
        "blanks": start + '"Error uploading layer to cache: open : no such file or directory' + " " * count * 20 + 'x"',
        "mirror": start + '"Failed to retrieve image a from mapped registry b: ' + ". Will try" * count * 4 + '"',
        "instruction": start + '"RUN ' + "x " * count * 20 + '"',
        "finals": "error building image: " * count * 2,
    }
    return [long[kind]]


KINDS = (
    *("after an error", "errors", "instructions", "mirrors", "warnings", "phases"),
    *("quotes", "beginnings", "levels", "blanks", "mirror", "instruction", "finals"),
)


def follow(kind: str, count: int) -> None:
    descriptor = os.open("/dev/null", os.O_WRONLY)
    job = Job({}, Paths(), Console(Masker(), descriptor), LogTail(), Phases(), Warnings())
    follower = Follower(job, Progress((), Steps()))
    for line in hostile(kind, count):
        follower.read(line)
    os.close(descriptor)


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_is_linear(kind: str):
    def seconds(count: int) -> float:
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            follow(kind, count)
            best = min(best, time.process_time() - begin)
        return best

    small, large = seconds(1500), seconds(12_000)
    # Eight times as much; squared it would be sixty-four times.
    assert large < 30 * max(small, 0.001)


@pytest.mark.parametrize("kind", ["after an error", "errors", "instructions", "mirrors", "warnings", "phases"])
def test_the_memory_is_bounded(kind: str):
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            follow(kind, count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(40_000) < 2 * peak(12_000)


@pytest.mark.parametrize("shift", range(0, 24, 3))
@pytest.mark.parametrize(("cut", "message"), [(1000, ""), (200, "Pushing image to "), (80, "RUN ")])
def test_nothing_is_shortened_inside_of_a_secret(shift: int, cut: int, message: str):
    secret = "s3cret-s3cret-s3cret-s3cret"
    job = Job({}, Paths(), Console(Masker([secret]), os.open(os.devnull, os.O_WRONLY)), LogTail(), Phases(), Warnings())
    progress = Progress((), None, job.console.masker.mask)
    text = "x" * (cut - shift - 2) + secret + "y" * 3000
    line = f'time="2026-11-25T08:00:00Z" level=info msg="{message}{text}"' if message else f"panic: {text}"
    Follower(job, progress).read(line)
    assert "s3cret-" not in job.console.masker.mask(progress.error) + job.phases.current
    assert len(job.phases.current) <= LONGEST_PHASE
