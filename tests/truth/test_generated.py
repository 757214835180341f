"""Random Dockerfiles over random build contexts: Docker's image, or a word about it."""

import itertools
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from truth.generated import Project, projects
from truth.judge import Judge
from truth.known import problem

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "12"))
"""More of them, at random, is how differences are searched for: TRUTH_EXAMPLES=200."""

_numbers = itertools.count()


@settings(
    max_examples=EXAMPLES,
    derandomize="TRUTH_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(projects())
def test_generated(judge: Judge, tmp_path: Path, project: Project) -> None:
    directory = tmp_path / f"generated-{next(_numbers)}"
    project.write(directory)
    verdict = judge.case(directory)
    trouble = problem(verdict, None)
    assert not trouble, f"{trouble}\n\n{project}"
