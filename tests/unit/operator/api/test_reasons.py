from imagebuild_operator.api.reason_rows import ROWS
from imagebuild_operator.api.reasons import Reason


def test_every_reason_has_a_row_that_ends_in_a_full_stop():
    assert set(ROWS) == set(Reason)
    for row in ROWS.values():
        assert row.meaning.endswith(".")
        assert row.advice.endswith(".")
