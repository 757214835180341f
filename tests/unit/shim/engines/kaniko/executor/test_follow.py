import os
from pathlib import Path

from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerfile.steps import REPEATED, plan_steps
from kaniko_shim.engines.kaniko.executor.follow import Follower
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.log.console import Console
from kaniko_shim.log.masking import Masker
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.report import summary
from kaniko_shim.outcome.result import Result
from kaniko_shim.system.job import LONGEST_PHASE, Job
from kaniko_shim.system.paths import Paths


def test_a_step_is_told_when_it_begins_and_again_after_much_output(tmp_path: Path):
    log = tmp_path / "log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    job = Job({}, Paths(), Console(Masker(), descriptor), LogTail(), Phases(), Warnings())
    instructions = parse_dockerfile(b"FROM b\nRUN a\n")
    progress = Progress((), plan_steps(split_stages(instructions).stages, instructions))
    follower = Follower(job, progress)
    follower.begin()
    for line in ('time="2026-11-25T08:00:00Z" level=info msg="RUN a"', "output", *["more"] * (2 * REPEATED)):
        follower.read(line)
    os.close(descriptor)
    told = [
        number for number, line in enumerate(log.read_text().splitlines()) if line.startswith("kaniko-shim: progress: ")
    ]
    assert told == [0, 2, 3 + REPEATED, 4 + 2 * REPEATED]
    assert job.phases.current == "at RUN a"


def test_no_part_of_a_secret_is_left_at_the_end_of_a_phase():
    secret = "hunter2-and-much-more"
    console = Console(Masker([secret]), os.open(os.devnull, os.O_WRONLY))
    for before in range(LONGEST_PHASE - len(secret) - 20, LONGEST_PHASE):
        job = Job({}, Paths(), console, LogTail(), Phases(), Warnings())
        Follower(job, Progress()).read(f'time="2026-11-25T08:00:00Z" level=info msg="RUN {"x" * before}{secret}"')
        assert job.phases.current.startswith("at RUN xxx")
        assert len(job.phases.current) <= LONGEST_PHASE
        assert not any(secret[:length] in job.phases.current for length in range(1, len(secret)))


def test_no_part_of_a_secret_is_left_where_the_summary_cuts_an_instruction():
    secret = "hunter2-and-much-more"
    failure = Failure(Reason.RUN_COMMAND_FAILED, "It failed.", instruction=f"RUN {'x' * 290}{secret}")
    lines = summary(Result("build", failure=failure), Masker([secret]).mask)
    assert not any(secret[:3] in line for line in lines)
