from imagebuild_operator.api.reason_rows import ROWS
from imagebuild_operator.api.reasons import Reason


def test_every_reason_has_a_row_that_ends_in_a_full_stop():
    assert set(ROWS) == set(Reason)
    for row in ROWS.values():
        assert row.meaning.endswith(".")
        assert all(text.endswith(".") for text in (row.advice, row.waiting) if text)


def test_a_failed_build_does_not_continue_automatically():
    assert [reason for reason, row in ROWS.items() if "continues" in row.advice or "build again" in row.waiting] == [
        "Unschedulable"
    ]
