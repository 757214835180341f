import json
import logging
from collections.abc import Iterator

import pytest
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.telemetry.logging import JsonFormatter, PlainFormatter, about, is_logged

FORMATTERS = [JsonFormatter(), PlainFormatter()]
KEY = about("team", "app", uid="7d3f", attempt=2, phase="Failed", reason="Internal")


@pytest.fixture
def debug() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(before)


def record(
    message: str, error: BaseException | None = None, extra: dict[str, object] | None = None
) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    logger = logging.getLogger("imagebuild_operator.test")
    return logger.makeRecord(logger.name, logging.ERROR, "f.py", 1, message, (), exc_info, extra=extra)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_record_about_a_build_is_keyed_by_it():
    line = json.loads(JsonFormatter().format(record("It ended.", extra=KEY)))
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "severity": "error",
        "logger": "imagebuild_operator.test",
        "message": "It ended.",
        "namespace": "team",
        "name": "app",
        "uid": "7d3f",
        "attempt": 2,
        "phase": "Failed",
        "reason": "Internal",
    }


def test_for_people_it_is_one_line_that_begins_with_the_build():
    line = PlainFormatter().format(record("It ended.", extra=KEY))
    assert line.split(" ", 1)[1] == "ERROR   team/app: Failed Internal: It ended."


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (None, "It failed."),
        (about("", ""), "It failed."),
        (about("team", ""), "team: It failed."),
        (about("", "app"), "app: It failed."),
        (about("team", "app"), "team/app: It failed."),
    ],
)
def test_whatever_it_is_keyed_by_it_can_be_written(extra: dict[str, object] | None, said: str):
    failed = record("It failed.", extra=extra)
    assert PlainFormatter().format(failed).split("ERROR   ")[1] == said
    assert json.loads(JsonFormatter().format(failed))["message"] == "It failed."


def test_what_is_unexpected_says_where_it_comes_from():
    error = raised(KeyError("status"))
    line = json.loads(JsonFormatter().format(record("It failed", error)))
    assert line["error"] == "KeyError: 'status'"
    assert line["stack"][0].startswith("telemetry/test_logging.py:")
    assert line["stack"][0].endswith(" raised")
    assert "[KeyError: 'status' at telemetry/test_logging.py:" in PlainFormatter().format(record("It failed", error))


def test_what_is_expected_says_only_what_it_is():
    error = raised(ClusterError(503, "etcd is away"))
    line = json.loads(JsonFormatter().format(record("It failed", error)))
    assert "etcd is away" in line["error"]
    assert "stack" not in line
    assert " at " not in PlainFormatter().format(record("It failed", error))


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_a_record_is_one_line(formatter: logging.Formatter):
    nested = raised(ValueError("two\nlines"))
    assert "\n" not in formatter.format(record("It failed", nested))


@pytest.mark.usefixtures("debug")
def test_the_whole_traceback_is_there_for_debugging():
    error = raised(KeyError("status"))
    assert (
        "Traceback (most recent call last)"
        in json.loads(JsonFormatter().format(record("It failed", error)))["traceback"]
    )
    assert "\nTraceback (most recent call last)" in PlainFormatter().format(record("It failed", error))


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_no_secret_gets_into_it(formatter: logging.Formatter):
    url = "https://bob:hunter22@example.com"
    error = raised(ClusterError(500, f"webhook {url} failed"))
    said = formatter.format(record(f"Could not fetch {url}", error, about("team", "app", reason=url)))
    assert "hunter22" not in said
    assert "https://***@example.com" in said


def test_kopf_s_own_records_are_keyed_too():
    reference = {"kind": "ImageBuild", "namespace": "team", "name": "app", "uid": "7d3f", "apiVersion": "x"}
    line = json.loads(JsonFormatter().format(record("Handler failed", extra={"k8s_ref": reference})))
    assert (line["namespace"], line["name"], line["uid"]) == ("team", "app", "7d3f")


def test_a_watch_that_cannot_be_closed_at_the_end_is_no_error():
    left = "an error occurred during closing of asynchronous generator <async_generator object infinite_watch at 0x7f>"
    records = [logging.LogRecord("asyncio", logging.ERROR, "f.py", 1, text, (), None) for text in (left, "Another")]
    assert [is_logged(each) for each in records] == [False, True]
