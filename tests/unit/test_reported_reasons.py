"""The operator takes from a container's report the reasons that the shim has, and no others."""

import json

import pytest
from imagebuild_operator.api.reasons import REPORTED, Reason
from imagebuild_operator.observe.report import parse_result
from kaniko_shim.outcome.reasons import Reason as ShimReason


def test_both_know_the_same_reasons():
    assert {str(reason) for reason in REPORTED} == {str(reason) for reason in ShimReason}


@pytest.mark.shows("A31")
@pytest.mark.parametrize("reason", Reason)
def test_a_container_can_not_speak_for_kubernetes(reason: Reason):
    said = parse_result(json.dumps({"reason": str(reason)})).reason
    assert said is (reason if reason in REPORTED else None)


@pytest.mark.parametrize("value", [None, 7, [], {}, "Nonsense"])
def test_what_is_no_reason(value: object):
    assert parse_result(json.dumps({"reason": value})).reason is None
