"""Random Dockerfiles over random build contexts: Docker's image, or a word about it."""

import itertools
import os
import re
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from truth.generated import Project, projects
from truth.judge import Judge
from truth.known import Known, problem
from truth.verdict import Outcome, Verdict

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "12"))
"""More of them, at random, is how differences are searched for: TRUTH_EXAMPLES=200."""

_OLD = Known(
    "an old executor gives a destination that exists the mode of the directory that is copied, and its owner too, with "
    "--from, and with --chown if no file lies at its top; with --chmod too, new directories above it are root's",
    differs=("*: mode", "/home/app: owner", "/new*: owner"),
)
_OLD_MADE = Known(
    "whether a RUN has made the directory that --chmod gives a mode is not known before the build",
    outcome=Outcome.FALSE_WARNING,
)
_ONTO_MADE = re.compile(r'--chmod=.*"/home/app/\w*"')

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
        verdict = judge.case(directory).verdict
        assert verdict
        trouble = problem(verdict, _known(verdict, project) if judge.executor == "old" else None)
        assert not trouble, f"{trouble}\n\n{project}"

    every_image_is_dockers()


def _known(verdict: Verdict, project: Project) -> Known | None:
    """What is known of an old executor's image that is not Docker's."""
    if verdict.outcome is Outcome.FALSE_WARNING and _ONTO_MADE.search(project.dockerfile):
        return _OLD_MADE
    return None if verdict.outcome.good else _OLD
