from imagebuild_operator.observe.pod import observe


def test_a_pod_without_a_status_is_pending():
    facts = observe({"metadata": {"name": "p", "uid": "u", "creationTimestamp": "2026-11-24T08:00:00Z"}})
    assert (facts.phase, facts.owner_uid, facts.build.started) == ("Pending", None, None)
