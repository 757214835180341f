import pytest
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.outcome.result import CacheReport
from unit.shim.engines.kaniko.executor.reading import read


def line(message: str, level: str = "info") -> str:
    return f'time="2026-11-24T08:00:00Z" level={level} msg="{message}"'


def test_records_are_shown_as_sentences():
    shown = read(
        Progress(),
        line("Unpacking rootfs"),
        line('say \\"hi\\"\\tthere', "warning"),
        line("word", "error").replace('"word"', "word"),
        "plain output",
        line("bytes \\xff"),
    )
    assert shown == ["Unpacking rootfs", 'WARNING: say "hi"\tthere', "ERROR: word", "plain output", "bytes ÿ"]


def test_output_without_a_line_end_is_cut_off_the_next_record():
    assert read(Progress(), "no end" + line("Taking snapshot of full filesystem...")) == [
        "no end",
        "Taking snapshot of full filesystem...",
    ]


@pytest.mark.parametrize(
    ("message", "phase"),
    [
        ("Retrieving image manifest busybox", "looking for the base image busybox"),
        ("Unpacking rootfs as cmd RUN x requires it.", "unpacking the base image"),
        ("Taking snapshot of full filesystem...", "taking a snapshot of the file system"),
        ("Pushing image to r.example/app:1", "pushing the image to r.example/app:1"),
        ("RUN make all", "at RUN make all"),
    ],
)
def test_phases(message: str, phase: str):
    progress = Progress()
    read(progress, line(message))
    assert progress.phase == phase


def test_a_running_command_is_the_phase_again_after_a_snapshot():
    progress = Progress()
    read(progress, line("RUN a"), line("Taking snapshot of full filesystem..."), line("Running: [/bin/sh -c a]"))
    assert progress.phase == "at RUN a"


def test_the_instruction_and_its_turn():
    progress = Progress()
    read(progress, line("RUN a"), line("RUN b"), line("RUN  a"))
    assert (progress.instruction, progress.occurrence) == ("RUN a", 2)


def test_the_push_of_a_cached_layer_is_not_the_push():
    progress = Progress(["r.example/app:1"])
    read(progress, line("Pushing image to r.example/app/cache:0123"))
    assert not progress.pushing
    read(progress, line("Pushing image to r.example/app:1"))
    assert progress.pushing


def test_layers_that_are_looked_up_twice_count_once():
    progress = Progress()
    read(progress, line("Using caching version of cmd: RUN a"))
    read(progress, line("Using caching version of cmd: RUN a"))
    read(progress, line("No cached layer found for cmd RUN b"))
    read(progress, line("Eliminating stage 'x' [idx: '0'], all consumers are served from cache"))
    read(progress, line("Building stage 'x' [idx: '1', base-idx: '-1']"))
    read(progress, line("Using caching version of cmd: RUN a"))
    read(progress, line("No cached layer found for cmd RUN b"))
    assert progress.cache == CacheReport(2, 1)


def test_hits_misses_and_what_the_cache_refused():
    progress = Progress()
    read(
        progress,
        line("Using caching version of cmd: RUN a"),
        line("No cached layer found for cmd RUN b"),
        line("No cached layer found for cmd RUN c"),
        line("Error uploading layer to cache: UNAUTHORIZED", "warning"),
        line("Error uploading layer to cache: failed: open : no such file or directory", "warning"),
    )
    assert progress.cache == CacheReport(1, 2)
    assert progress.warnings == ["A layer could not be added to the cache: UNAUTHORIZED"]


def test_the_last_words_are_kept_and_may_have_many_lines():
    progress = Progress()
    read(progress, line("RUN a"), "error building image: first", "second")
    assert progress.error == "error building image: first\nsecond"


def test_the_usage_behind_a_wrong_flag_is_no_part_of_the_error():
    progress = Progress()
    lines = ["Error: unknown flag: --x", "Usage:", "  executor [flags]"]
    assert read(progress, *lines) == lines
    assert progress.error == "Error: unknown flag: --x"


def test_an_assertion_says_more_than_the_crash_after_it():
    progress = Progress()
    said = "Assertion violated [run.command-nonempty]: runCommandInExec: newCommand is empty"
    read(progress, line(said, "panic"), "panic: (*logrus.Entry) 0xc000", "", "goroutine 1 [running]:")
    assert progress.error == f"panic: {said}\n\ngoroutine 1 [running]:"


def test_the_last_record_of_an_executor_that_says_much_does_not_hide_its_error():
    progress = Progress()
    read(progress, "error building image: first", line("registry connections: sockets opened=1 closed=0", "debug"))
    assert progress.error == "error building image: first"


@pytest.mark.parametrize("between", [[], ["credential providers by priority: [file:/kaniko/.run/docker/config.json]"]])
def test_the_image_that_is_pulled_is_known_until_something_else_begins(between: list[str]):
    progress = Progress()
    for message in ("Retrieving image manifest m.example/a", "Retrieving image m.example/a from registry m.example"):
        read(progress, line(message), *map(line, between))
    read(progress, line("Retrying operation after 1s due to GET https://m.example/v2/", "warning"), *map(line, between))
    assert progress.image == "m.example/a"
    read(progress, line("Built cross stage deps: map[]"))
    assert progress.image == ""


def test_what_looks_like_an_error_and_is_followed_by_a_record_is_none():
    progress = Progress()
    read(progress, "error building image: printed by a RUN", line("Taking snapshot of full filesystem..."))
    assert progress.error == ""


def test_a_mirror_that_fails_is_a_warning_and_one_without_the_image_is_none():
    progress = Progress()
    failed = (
        "Failed to retrieve image m.example/busybox:latest from remapped registry m.example: {}. Will try with the next"
    )
    read(
        progress,
        line("Retrieving image manifest busybox"),
        line(failed.format("GET https://m.example/v2/busybox/manifests/latest: MANIFEST_UNKNOWN: no"), "warning"),
        line(failed.format("dial tcp: connection refused"), "warning"),
    )
    assert progress.warnings == [
        "The mirror m.example did not deliver m.example/busybox:latest: dial tcp: connection refused"
    ]
    assert len(progress.mirrors) == 2


def test_a_pattern_without_files_is_a_warning_about_its_own_instruction():
    progress = Progress()
    read(
        progress,
        line("COPY a* /x/"),
        line("Taking snapshot of files..."),
        line("No files to copy"),
        line("COPY b* /x/"),
        line("No files to copy"),
    )
    assert progress.warnings == ["COPY b* /x/ copies nothing: no file matches"]
