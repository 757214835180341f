from imagebuild_operator.telemetry.health import denied, out_of_election, stalled, stuck, unready


def test_a_watch_may_be_silent_for_three_times_the_time_after_which_it_is_made_anew():
    assert stalled({"imagebuilds": 210.0, "pods": 1.0}, silence=70) == []
    assert stalled({"imagebuilds": 211.0, "pods": 1.0}, silence=70) == [
        "The watch of imagebuilds has received nothing for 211 s."
    ]


def test_a_queue_may_take_long_but_not_for_ever():
    assert stuck(600) == []
    assert stuck(601) == ["The work queue has been stuck for 601 s."]


def test_ready_once_everything_has_been_listed():
    assert unready(has_started=True, have_listed=True) == []
    assert unready(has_started=True, have_listed=False) == ["The first lists of ImageBuilds and pods are incomplete."]
    assert unready(has_started=False, have_listed=False) == ["The operator is starting."]


def test_an_operator_that_no_longer_takes_part_in_the_election_is_to_be_restarted():
    assert out_of_election(None) == []
    assert out_of_election(KeyError("spec")) == ["The leader election has failed: KeyError."]


def test_what_the_api_server_denies_is_named_with_what_to_do():
    assert denied([]) == []
    [sentence] = denied(["/api/v1/namespaces/team/pods"])
    assert sentence.startswith("The API server denies the operator /api/v1/namespaces/team/pods (403). Grant ")
