from imagebuild_operator.observe.warnings import latest_warning


def test_the_newest_warning_is_believed():
    events = [
        {"type": "Warning", "message": "old", "lastTimestamp": "2026-11-24T08:00:00Z"},
        {"type": "Warning", "message": "new", "eventTime": "2026-11-24T08:00:05Z"},
        {"type": "Normal", "reason": "SandboxChanged", "lastTimestamp": "2026-11-24T08:00:06Z"},
    ]
    assert latest_warning(events) == "new"
    assert latest_warning([]) is None
    went_on = {"type": "Normal", "reason": "Pulled", "lastTimestamp": "2026-11-24T08:00:06Z"}
    assert latest_warning([*events, went_on]) is None
