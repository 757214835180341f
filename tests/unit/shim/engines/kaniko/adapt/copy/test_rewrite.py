import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.rewrite import CopyInputs, rewrite_copies
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.outcome.errors import JobError
from support.copies import copy_scopes

OLD, NEW = Support(is_old=True), Support()


def rewritten(line: str, support: Support = NEW) -> str:
    draft = Draft.of(f"FROM x\n{line}\n".encode())
    made = rewrite_copies(copy_scopes(draft), support, CopyInputs("../h"))
    return draft.then(made.edits).written().text.removeprefix("FROM x\n").removesuffix("\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("COPY ../x /y", "COPY x /y"),
        ("COPY a/../../../x/ ../y /z/", "COPY x/ y /z/"),
        ("COPY .. /y", "COPY . /y"),
        ("copy --chown=1:1   ../x   /y", "copy --chown=1:1   x /y"),
        ('COPY ["../a b", "/y"]', 'COPY ["a b", "/y"]'),
        ('COPY "../x" /y', 'COPY /"../x" /y'),
        ("COPY $A/x /y", "COPY /$A/x /y"),
        ("COPY /$A /y", "COPY /$A /y"),
        ("COPY --from=s ../x /y", "COPY --from=s x /y"),
        ("ADD ../x.tar /y", "ADD x.tar /y"),
        ("ADD ../$A /y", "ADD /../$A /y"),
        ("ONBUILD COPY --chown=1 ../x /y", "ONBUILD COPY --chown=1 x /y"),
    ],
)
def test_no_source_leads_out_of_the_context(line: str, expected: str):
    assert rewritten(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "COPY  a  ./b/..c /d/",
        'COPY ["a", "b"]',
        "ADD https://h.example/../x /y",
        "ADD $URL /y",
        "ADD http$S://h.example/x /y",
        "COPY <<E /y\n../x\nE",
        "COPY --from=s /x /y",
        "RUN cp ../x /y",
        "ONBUILD RUN cp ../x /y",
    ],
)
def test_all_else_stays_as_it_is(line: str):
    assert rewritten(line) == line


def test_a_heredoc_and_a_source_may_stand_side_by_side():
    made = rewritten("COPY <<E ../x /y/\n1\nE", OLD).rstrip("\n")
    assert made.startswith("COPY ../h/")
    assert made.endswith("/E x /y/")


def test_the_root_of_a_stage_that_is_only_an_image():
    content = b"FROM tools@sha256:0 AS t\nFROM x\nCOPY --link --from=t / /\n"
    made = rewrite_copies(copy_scopes(Draft.of(content)), NEW, CopyInputs("../h"))
    assert [edit.text for edit in made.edits] == ["COPY --link --from=tools@sha256:0 / /"]


@pytest.mark.parametrize("text", ["FROM x AS t\nRUN y", "FROM scratch AS t", "FROM $X AS t"])
def test_the_root_of_another_stage_is_refused(text: str):
    with pytest.raises(JobError) as caught:
        rewrite_copies(
            copy_scopes(Draft.of(f"{text}\nFROM x\nCOPY --from=t /./ /\n".encode())), NEW, CopyInputs("../h")
        )
    assert "the root directory of another stage" in caught.value.failure.message
