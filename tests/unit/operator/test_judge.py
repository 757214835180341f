import json

import pytest
from imagebuild_operator.judge import judge
from imagebuild_operator.model import Phase
from imagebuild_operator.observe import PodFacts
from imagebuild_operator.parse import parse_spec
from imagebuild_operator.reasons import Reason
from support.builds import DIGEST, SPEC, a_pod, after, ended, running, waiting

OK = ended(0, json.dumps({"outcome": "Succeeded"}), reason="Completed")
PUSHED = ended(
    0, json.dumps({"digest": DIGEST, "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST}]})
)


def run_failed(code: int = 7) -> str:
    return json.dumps({"reason": "RunCommandFailed", "message": "RUN make ended with exit code 7.", "exitCode": code})


@pytest.mark.parametrize(
    ("pod", "phase", "reason"),
    [
        (a_pod(), Phase.PREPARING, None),
        (a_pod(unschedulable="0/1 nodes are available"), Phase.PREPARING, Reason.UNSCHEDULABLE),
        (a_pod(build=waiting("ImagePullBackOff")), Phase.PREPARING, Reason.BUILDER_IMAGE_PULL_FAILED),
        (
            a_pod(build=waiting("CreateContainerConfigError", 'secret "x" not found')),
            Phase.PREPARING,
            Reason.SECRET_NOT_FOUND,
        ),
        (
            a_pod(build=waiting("CreateContainerConfigError", "couldn't find key k in Secret team/x")),
            Phase.PREPARING,
            Reason.SECRET_NOT_FOUND,
        ),
        (
            a_pod(build=waiting("CreateContainerConfigError", 'configmap "x" not found')),
            Phase.PREPARING,
            Reason.CONFIG_MAP_NOT_FOUND,
        ),
        (a_pod(build=waiting("CreateContainerError", "no space")), Phase.PREPARING, Reason.INTERNAL),
        (a_pod(check=running()), Phase.PREPARING, None),
        (
            a_pod(
                check=waiting("CreateContainerConfigError", 'secret "push" not found'),
                build=waiting("PodInitializing"),
            ),
            Phase.PREPARING,
            Reason.SECRET_NOT_FOUND,
        ),
        (
            a_pod(phase="Failed", check=ended(77, '{"reason": "RegistryUnauthorized"}')),
            Phase.FAILED,
            Reason.REGISTRY_UNAUTHORIZED,
        ),
        (a_pod(check=OK, build=waiting("ImagePullBackOff")), Phase.PREPARING, Reason.BUILDER_IMAGE_PULL_FAILED),
        (a_pod(phase="Running", check=OK, build=running()), Phase.BUILDING, None),
        (a_pod(phase="Running", build=running()), Phase.BUILDING, None),
        (a_pod(phase="Running", build=OK), Phase.PUSHING, None),
        (a_pod(phase="Running", build=OK, push=running()), Phase.PUSHING, None),
        (
            a_pod(build=OK, push=waiting("CreateContainerConfigError", 'secret "push" not found')),
            Phase.PUSHING,
            Reason.SECRET_NOT_FOUND,
        ),
        (a_pod(phase="Running", build=OK, push=PUSHED), Phase.SUCCEEDED, None),
        (a_pod(phase="Succeeded", build=OK, push=ended(0, "")), Phase.FAILED, Reason.INTERNAL),
        (a_pod(phase="Failed", build=ended(7, run_failed())), Phase.FAILED, Reason.RUN_COMMAND_FAILED),
        (a_pod(phase="Failed", build=ended(137, "", reason="OOMKilled")), Phase.FAILED, Reason.OUT_OF_MEMORY),
        (a_pod(phase="Failed", build=ended(137, "end of a log")), Phase.FAILED, Reason.INTERNAL),
        (a_pod(phase="Failed", reason="Evicted", build=ended(137)), Phase.FAILED, Reason.EVICTED),
        (a_pod(phase="Failed", reason="Evicted"), Phase.FAILED, Reason.EVICTED),
        (
            a_pod(
                phase="Failed", reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit"
            ),
            Phase.FAILED,
            Reason.DISK_FULL,
        ),
        (a_pod(phase="Failed", reason="OutOfcpu"), Phase.FAILED, Reason.INTERNAL),
        (
            a_pod(phase="Failed", reason="DeadlineExceeded", build=ended(143, '{"reason": "Cancelled"}')),
            Phase.FAILED,
            Reason.DEADLINE_EXCEEDED,
        ),
        (
            a_pod(phase="Failed", disruption="EvictionByEvictionAPI", build=ended(143, '{"reason": "Cancelled"}')),
            Phase.FAILED,
            Reason.EVICTED,
        ),
        (
            a_pod(phase="Failed", deletion=after(40), build=ended(143, '{"reason": "Cancelled"}')),
            Phase.FAILED,
            Reason.POD_DELETED,
        ),
        (a_pod(deletion=after(40), build=running()), Phase.BUILDING, Reason.POD_DELETED),
        (
            a_pod(deletion=after(40), disruption="DeletionByTaintManager", build=running()),
            Phase.BUILDING,
            Reason.NODE_LOST,
        ),
    ],
)
def test_each_state_of_a_pod_has_its_phase_and_reason(pod: PodFacts, phase: Phase, reason: Reason | None):
    verdict = judge(pod, parse_spec(SPEC))
    assert (verdict.phase, verdict.reason) == (phase, reason)
    assert verdict.message


def test_the_kubelets_warning_explains_a_pod_that_does_not_start():
    pod = a_pod(scheduled=after(0), node="node1", build=waiting("PodInitializing"))
    verdict = judge(pod, parse_spec(SPEC), warning='MountVolume.SetUp failed: configmap "context" not found')
    assert verdict.reason is Reason.CONFIG_MAP_NOT_FOUND
    assert 'configmap "context" not found' in verdict.message


def test_the_reason_for_stopping_a_pod_outlives_what_its_containers_say():
    pod = a_pod(phase="Failed", deletion=after(40), build=ended(143, '{"reason": "Cancelled", "logTail": "compiling"}'))
    verdict = judge(pod, parse_spec(SPEC), recorded=Reason.DEADLINE_EXCEEDED)
    assert verdict.reason is Reason.DEADLINE_EXCEEDED
    assert verdict.result.log_tail == "compiling"


def test_a_refused_push_names_the_secret_to_add_or_to_correct():
    said = json.dumps({"reason": "RegistryUnauthorized", "message": "The registry said no.", "registry": "r.example"})
    pod = a_pod(phase="Failed", build=OK, push=ended(77, said))
    without = judge(pod, parse_spec(SPEC))
    assert without.message == (
        "The registry said no. Create a Secret of type kubernetes.io/dockerconfigjson with credentials for r.example "
        "and name it in spec.output.pushSecretRef of a new ImageBuild."
    )
    given = judge(pod, parse_spec({**SPEC, "output": {"images": ["a/b:1"], "pushSecretRef": {"name": "mine"}}}))
    assert given.message == (
        "The registry said no. "
        "Correct the credentials for r.example in Secret mine, named by spec.output.pushSecretRef."
    )
