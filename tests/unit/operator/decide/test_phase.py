import json

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.phase import pod_outcome
from support.builds import DIGEST, SPEC, a_pod, after, ended, waiting

OK = ended(0, json.dumps({"outcome": "Succeeded"}), reason="Completed")
PUSHED = ended(
    0, json.dumps({"digest": DIGEST, "images": [{"reference": "registry.example/team/app:1", "digest": DIGEST}]})
)


@pytest.mark.shows("F12")
def test_the_kubelets_warning_explains_a_pod_that_does_not_start():
    pod = a_pod(scheduled=after(0), node="node1", build=waiting("PodInitializing"))
    outcome = pod_outcome(pod, parse_spec(SPEC), warning='MountVolume.SetUp failed: configmap "context" not found')
    assert outcome.reason is Reason.CONFIG_MAP_NOT_FOUND
    assert 'configmap "context" not found' in outcome.message


def test_the_reason_for_stopping_a_pod_outlives_what_its_containers_say():
    pod = a_pod(phase="Failed", deletion=after(40), build=ended(143, '{"reason": "Cancelled", "logTail": "compiling"}'))
    outcome = pod_outcome(pod, parse_spec(SPEC), recorded=Reason.DEADLINE_EXCEEDED)
    assert outcome.reason is Reason.DEADLINE_EXCEEDED
    assert outcome.result.log_tail == "compiling"


def test_a_refused_push_names_the_secret_to_add_or_to_correct():
    said = json.dumps({"reason": "RegistryUnauthorized", "message": "The registry said no.", "registry": "r.example"})
    pod = a_pod(phase="Failed", build=OK, push=ended(77, said))
    without = pod_outcome(pod, parse_spec(SPEC))
    assert without.message == (
        "The registry said no. Create a Secret of type kubernetes.io/dockerconfigjson with credentials for r.example "
        "and name it in spec.output.pushSecretRef of a new ImageBuild."
    )
    given = pod_outcome(pod, parse_spec({**SPEC, "output": {"images": ["a/b:1"], "pushSecretRef": {"name": "mine"}}}))
    assert given.message == (
        "The registry said no. "
        "Correct the credentials for r.example in Secret mine, named by pushSecretRef of the build or of its "
        "namespace's ImageBuildDefaults."
    )


def test_a_value_that_is_not_text_is_explained_and_never_quoted():
    grpc = "grpc: error while marshaling: string field contains invalid UTF-8"
    held = pod_outcome(a_pod(node="node1", build=waiting("CreateContainerError", grpc)), parse_spec(SPEC))
    assert "Store the value base64-encoded" in held.message
    assert "continues automatically" in held.message
    runc = 'failed to create: environment variable value can\'t contain null(\\x00): "V=hunter2\\x00": unknown'
    failed = pod_outcome(a_pod(phase="Failed", build=ended(128, runc, reason="StartError")), parse_spec(SPEC))
    assert failed.reason is Reason.POD_NOT_STARTED
    assert "Store the value base64-encoded" in failed.message
    assert "hunter2" not in repr(failed)
