"""Random Dockerfiles over random build contexts: Docker's image, or a word about it."""

import itertools
import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from truth.generated import Project, projects
from truth.judge import Judge
from truth.known import Known, problem

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "12"))
"""More of them, at random, is how differences are searched for: TRUTH_EXAMPLES=200."""

_OLD = Known(
    "an old executor gives a destination that exists the mode of the directory that is copied, and its owner too, with "
    "--from, and with --chown if no file lies at its top; with --chmod too, new directories above it are root's",
    differs=("*: mode", "/home/app: owner", "/new*: owner"),
)

_numbers = itertools.count()


def test_generated(judge: Judge, tmp_path: Path) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize="TRUTH_EXAMPLES" not in os.environ,
        database=None,
        deadline=None,
        print_blob=False,
        # Each example is built two or three times: a smaller one is found by hand.
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(projects())
    def every_image_is_dockers(project: Project) -> None:
        directory = tmp_path / f"generated-{next(_numbers)}"
        project.write(directory)
        verdict = judge.case(directory)
        is_known = (
            judge.executor == "old"
            and any(flag in project.dockerfile for flag in ("--from", "--chown"))
            and not verdict.outcome.good
        )
        trouble = problem(verdict, _OLD if is_known else None)
        assert not trouble, f"{trouble}\n\n{project}"

    every_image_is_dockers()
