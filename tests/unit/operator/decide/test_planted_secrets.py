"""Secrets planted wherever others' words come in, and looked for in all that the operator writes."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import Log
from imagebuild_operator.status.events import event_manifest
from imagebuild_operator.telemetry.counts import observations
from imagebuild_operator.telemetry.logging import JsonFormatter, PlainFormatter, about
from imagebuild_operator.telemetry.trace import trace
from support.builds import DIGEST, POD, SETTINGS, a_build, a_pod, after, ended, running, waiting
from unit.operator.api.test_redact import FORMS

#: Characters of a secret in a row that nobody may see.
PART = 6
#: How much stands before it: texts are cut at 80, 512, 1024 and 4096 characters, in the middle of the secret here.
BEFORE = (0, 50, 480, 990, 4060)
SECRETS = st.from_regex(r"[A-Za-z0-9_-]{20,40}", fullmatch=True)
DONE = ended(0, json.dumps({"version": 1}))
PUSHED = {"digest": DIGEST, "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST}]}
BEGUN = {"phase": "Preparing", "podName": POD, "startTime": "2026-11-24T08:00:00Z"}


def failed(**report: object) -> Callable[[str], PodFacts]:
    """A build whose report has the words in a field that holds `§`."""
    whole = json.dumps({"reason": "RunCommandFailed", **report}, ensure_ascii=False)
    return lambda said: a_pod(phase="Failed", build=ended(3, whole.replace('"§"', json.dumps(said))))


def pushed(**report: object) -> Callable[[str], PodFacts]:
    whole = json.dumps({**PUSHED, **report}, ensure_ascii=False)
    return lambda said: a_pod(phase="Succeeded", build=DONE, push=ended(0, whole.replace('"§"', json.dumps(said))))


PODS: dict[str, Callable[[str], PodFacts]] = {
    **{field: failed(**{field: "§"}) for field in ("message", "hint", "logTail", "instruction", "registry")},
    "warnings of a failure": failed(warnings=["§", "§"]),
    "source of a failure": failed(source={"url": "§", "revision": "§", "sha256": "§"}),
    "no report": lambda said: a_pod(phase="Failed", build=ended(1, said)),
    "warnings": pushed(warnings=["§"]),
    "reference": pushed(images=[{"reference": "§", "digest": DIGEST}]),
    "source": lambda said: replace(pushed()(""), build=ended(0, json.dumps({"source": {"url": said}}))),
    "a digest that is none": pushed(digest="§"),
    "registry unavailable": failed(reason="RegistryUnavailable", message="§"),
    "kubelet on a container": lambda said: a_pod(build=waiting("CreateContainerConfigError", said)),
    "kubelet on an image": lambda said: a_pod(build=waiting("ErrImagePull", said)),
    "scheduler": lambda said: a_pod(unschedulable=said),
    "kubelet on a pod": lambda said: a_pod(phase="Failed", reason="Evicted", message=said),
    "disruption": lambda said: a_pod(
        phase="Failed", disruption="EvictionByEvictionAPI", disruption_message=said, build=running()
    ),
}


def written(build: ImageBuild, pods: Sequence[PodFacts], said: str = "", **known: Mapping[str, object]) -> str:
    """All that comes of it: the status, Events, what is counted and traced, and lines of the log."""
    plan = decide(ReconcileInput(build, pods, SETTINGS, after(100), **known))  # type: ignore[arg-type]
    record = logging.LogRecord("x", logging.WARNING, "", 0, "refused: %s", (said,), None)
    record.build = about("team", "app", reason=said)["build"]
    return "\n".join(
        [
            json.dumps(plan.status),
            *(json.dumps(event_manifest(build.reference, event, after(100))) for event in plan.events),
            repr(observations(build, plan.status or {})),
            JsonFormatter().format(record),
            PlainFormatter().format(record),
            repr(trace(build, plan.status or {})),
        ]
    )


def parts(secret: str) -> set[str]:
    return {secret[begin : begin + PART] for begin in range(len(secret) - PART + 1)}


def check(said: str, secret: str, form: str, text: str) -> None:
    by_chance = f"x {form} {DIGEST} {POD}"
    for part in parts(secret):
        assert part in by_chance or part not in text, (said[:60], part)


def planted(secret: str) -> Iterator[tuple[str, str]]:
    for form, before in product(FORMS, BEFORE):
        yield form, f"{'x' * before} {form.replace('§', secret)} and more"


@pytest.mark.shows("A34")
@pytest.mark.parametrize("place", PODS)
@settings(max_examples=2, deadline=None)
@given(secret=SECRETS)
def test_no_secret_gets_into_what_the_operator_writes(place: str, secret: str):
    for form, said in planted(secret):
        for build in (a_build(status=BEGUN), a_build({"retry": {"limit": 3}}, BEGUN)):
            text = written(build, [PODS[place](said)], said)
            assert "observedGeneration" in text
            check(said, secret, form, text)


@settings(max_examples=3, deadline=None)
@given(secret=SECRETS)
def test_nor_what_the_api_server_the_kubelet_and_a_log_say(secret: str):
    waits = a_build(status=BEGUN)
    for form, said in planted(secret):
        check(said, secret, form, written(a_build(), [], refusals={POD: RejectedError(403, said)}))
        check(said, secret, form, written(waits, [a_pod(node="n")], warnings={POD: said}))
        run = said.replace("\n", " ")
        step = f'kaniko-shim: progress: stage=1/1 step=2/3 instruction="{run}"'
        log = {POD: Log(step, after(90))}
        check(said, secret, form, written(waits, [a_pod(node="n", build=running())], logs=log))
