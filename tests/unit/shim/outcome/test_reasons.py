from kaniko_shim.outcome.errors import Failure, cancelled
from kaniko_shim.outcome.reasons import TABLE, Reason


def test_every_reason_has_a_row_and_an_exit_code_of_its_own():
    assert set(TABLE) == set(Reason)
    codes = [row.exit_code for row in TABLE.values()]
    assert len(set(codes)) == len(codes)
    assert all(row.cause.endswith(".") and row.hint.endswith(".") for row in TABLE.values())


def test_exit_codes_of_failures():
    assert Failure(Reason.DISK_FULL, "x").code == 82
    assert Failure(Reason.RUN_COMMAND_FAILED, "x", exit_code=7).code == 7
    assert cancelled(15).code == 143
    assert cancelled(2).code == 130
