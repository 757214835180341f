import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerfile.steps import LONGEST, Steps, StepTracker, plan_steps
from kaniko_shim.engines.kaniko.executor.progress import Progress
from unit.shim.engines.kaniko.executor import reading

DOCKERFILE = """\
ARG V=1
FROM busybox AS Build
RUN a
RUN a
FROM busybox AS unused
RUN b
FROM build
COPY --from=0 \\
  x /y
"""

#: As the operator reads it.
FORM = re.compile(r'progress: stage=(\d+)/(\d+) step=(\d+)/(\d+) instruction="(.*)"')


def plan(text: str = DOCKERFILE, target: str | None = None, given_text: str = "") -> Steps:
    stages = split_stages(parse_dockerfile(text.encode()))
    own = stages.stages if target is None else stages.built(target)
    return plan_steps(own, parse_dockerfile((given_text or text).encode()))


def same(text: str) -> str:
    return text


def texts(steps: Steps) -> list[str]:
    return [step.instruction for step in steps.steps]


def test_the_steps_are_the_instructions_of_the_stages_that_are_built():
    assert texts(plan()) == [
        "FROM busybox AS Build",
        "RUN a",
        "RUN a",
        "FROM busybox AS unused",
        "RUN b",
        "FROM build",
        "COPY --from=0 x /y",
    ]
    assert [step.stage for step in plan().steps] == [1, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("target", "count", "stages"),
    [("", 5, 2), ("BUILD", 3, 1), ("1", 2, 1)],
)
def test_the_target_and_stages_that_are_left_out_count(target: str, count: int, stages: int):
    steps = plan(target=target)
    assert (len(steps.steps), steps.stages) == (count, stages)


def test_a_walk_through_a_build():
    progress = Progress((), plan())
    seen = list[str]()
    progress.steps.enter_stage()
    for message in (
        "Retrieving image manifest busybox",
        "Building stage 'busybox' [idx: '0', base-idx: '-1']",
        "RUN a",
        "RUN of-a-trigger",
        "RUN a",
        "Building stage 'busybox' [idx: '1', base-idx: '-1']",
        "RUN b",
        "Building stage 'build' [idx: '2', base-idx: '0']",
        "COPY --from=0 x /y",
    ):
        reading.read(progress, f'time="2026-11-24T08:00:00Z" level=info msg="{message}"')
        seen.append(progress.steps.progress_line(same))
    assert [line.split(" instruction=")[0].split("step=")[1] for line in seen] == [
        "1/7", "1/7", "2/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7",
    ]  # fmt: skip
    assert seen[0] == 'progress: stage=1/3 step=1/7 instruction="FROM busybox AS Build"'
    assert seen[-1] == 'progress: stage=3/3 step=7/7 instruction="COPY --from=0 x /y"'


@pytest.mark.parametrize(
    ("messages", "step"),
    [
        (("Building stage 'busybox' [idx: '1', base-idx: '-1']", "RUN a"), "2/7"),
        (
            (
                "Eliminating stage 'busybox' [idx: '0'], all consumers are served from cache",
                "Building stage 'busybox' [idx: '1', base-idx: '-1']",
            ),
            "4/7",
        ),
        (
            (
                "Eliminating stage 'busybox' [idx: '1'], all consumers are served from cache",
                "Building stage 'busybox' [idx: '0', base-idx: '-1']",
                "Building stage 'build' [idx: '2', base-idx: '0']",
            ),
            "6/7",
        ),
    ],
)
def test_stages_may_be_left_out_or_built_with_their_base(messages: tuple[str, ...], step: str):
    progress = Progress((), plan())
    progress.steps.enter_stage()
    for message in messages:
        reading.read(progress, f'time="2026-11-24T08:00:00Z" level=info msg="{message}"')
    assert f" step={step} " in progress.steps.progress_line(same)


def test_what_the_shim_adds_belongs_to_the_users_step():
    own = parse_dockerfile(b"FROM b\nCOPY . /x\n")
    added = parse_dockerfile(b"FROM b\n\n")[0], *parse_dockerfile(b"\nARG MARKER\n"), own[1]
    walk = StepTracker(plan_steps(split_stages(own).stages, added))
    walk.enter("ARG MARKER")
    assert walk.progress_line(same) == 'progress: stage=1/1 step=2/2 instruction="COPY . /x"'
    walk.enter("COPY . /x")
    assert walk.progress_line(same) == 'progress: stage=1/1 step=2/2 instruction="COPY . /x"'


def test_nothing_is_told_of_what_is_not_known():
    walk = StepTracker(Steps())
    walk.enter_stage()
    walk.enter("RUN x")
    assert walk.progress_line(same) == ""


def test_secrets_are_masked_before_an_instruction_is_cut():
    secret = "s3cret-" * 4
    walk = StepTracker(plan(f"FROM {'x' * (LONGEST - 10)}{secret}\n"))
    walk.enter_stage()
    told = walk.progress_line(lambda text: text.replace(secret, "***"))
    assert "s3cret" not in told
    assert told.endswith('***"')


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\\")), st.text(max_size=10))
def test_the_form_can_always_be_read(words: str, name: str):
    walk = StepTracker(plan(f'FROM b\nRUN "{words}" <<{name}\n'))
    walk.enter_stage()
    for _, step in walk.steps.given:
        walk.step = step
        match = FORM.fullmatch(walk.progress_line(same))
        assert match
        assert (int(match[3]), int(match[4])) == (step.number, len(walk.steps.steps))
