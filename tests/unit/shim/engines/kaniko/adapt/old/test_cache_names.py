from collections.abc import Mapping
from pathlib import Path

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.context.files import ContextFiles
from kaniko_shim.engines.kaniko.adapt.old.cache_names import PREFIX, Markers

TWO_STAGES = "FROM x AS one\nARG V\nCOPY a /\nRUN b\nFROM y\nCOPY --from=one /o /p\n"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("a", "d/b", "d/e/c", "other/f", ".git/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("content")
    (tmp_path / "link").symlink_to("d")
    return tmp_path


def salted(context: Path, text: str, digests: Mapping[str, str], salt: str = "salt") -> tuple[list[str], list[str]]:
    unknown = list[str]()
    stages = split_stages(parse_dockerfile(text.encode()))
    files = ContextFiles(context)
    markers = Markers(stages, files, {"V": "2"}, lambda image: digests.get(image, ""), salt, unknown)
    return [edit.text for edit in markers.edits(stages.stages)], unknown


def marked(context: Path, text: str, arguments: Mapping[str, str] | None = None) -> list[str]:
    stages = split_stages(parse_dockerfile(text.encode()))
    edits = list(Markers(stages, ContextFiles(context), arguments or {}).edits(stages.stages))
    assert all(edit.text.startswith(f"ARG {PREFIX}") and edit.before for edit in edits)
    return [f"{edit.instruction.line} {edit.text}" for edit in edits]


@pytest.mark.parametrize(
    ("copy", "count"),
    [
        ("COPY a /x", 0),
        ("COPY link /x", 0),
        ("ADD https://example.org/x /x", 0),
        ("COPY --from=busybox /bin /bin", 0),
        ("COPY nosuch /x", 0),
        ("COPY <<E /x\nd\nE", 0),
        ("COPY d /x", 1),
        ("COPY a d /x/", 1),
        ('COPY ["d", "/x"]', 1),
        ('COPY "d" /x', 1),
        ("COPY /d/ /x", 1),
        ("COPY . /x", 1),
        ("COPY d/* /x/", 1),
        ("COPY $A /x", 1),
        ("ADD d /x", 1),
    ],
)
def test_a_copy_of_names_that_are_not_in_it_has_a_marker(context: Path, copy: str, count: int):
    assert len(marked(context, f"FROM x\n{copy}\n")) == count


@pytest.mark.parametrize(
    ("copy", "changes"),
    [
        ("COPY d /x", True),
        ("COPY d/e /x", False),
        ("COPY d/* /x/", True),
        ("COPY . /x", True),
        ("COPY ${D} /x", True),
        ("COPY other /x", False),
    ],
)
def test_a_name_counts_where_it_is_copied(context: Path, copy: str, *, changes: bool):
    before = marked(context, f"FROM x\n{copy}\n")
    (context / "d/b").rename(context / "d/bb")
    assert (marked(context, f"FROM x\n{copy}\n") != before) == changes


def test_contents_do_not_count(context: Path):
    before = marked(context, "FROM x\nCOPY . /x\n")
    (context / "d/b").write_text("other")
    assert marked(context, "FROM x\nCOPY . /x\n") == before


@pytest.mark.parametrize("change", ["content", "argument", "instruction", "nothing", "foreign argument"])
def test_all_that_goes_into_another_stage_counts(context: Path, change: str):
    before = marked(context, TWO_STAGES, arguments={"V": "1"})
    arguments = {"argument": {"V": "2"}, "foreign argument": {"V": "1", "W": "2"}}.get(change, {"V": "1"})
    if change == "content":
        (context / "a").write_text("other")
    text = TWO_STAGES.replace("RUN b", "RUN c") if change == "instruction" else TWO_STAGES
    assert (marked(context, text, arguments=arguments) == before) == (change in {"nothing", "foreign argument"})
    assert len(before) == 1


FROM_STAGE = "ARG V=1\nFROM image:$V AS one\nRUN a\nFROM y\nCOPY --from=one /o /p\n"


@pytest.mark.parametrize("text", ["FROM x\nCOPY --from=image:2 /o /p\n", FROM_STAGE])
def test_another_image_of_the_same_name_changes_the_marker(context: Path, text: str):
    one, two = (salted(context, text, {"image:2": digest}) for digest in ("sha256:1", "sha256:2"))
    assert one[0] != two[0]
    assert len(one[0]) == 1
    assert one == salted(context, text, {"image:2": "sha256:1"}, "more salt")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("FROM x\nCOPY --from=image:2 /o /p\n", ["image:2"]),
        ("FROM x\nCOPY --from=$IMAGE /o /p\n", ["$IMAGE"]),
        (FROM_STAGE, ["image:2"]),
        ("FROM x\nADD https://h.example/f /f\n", ["https://h.example/f"]),
        (
            "FROM scratch AS one\nADD https://h.example/f /f\nFROM y\nCOPY --from=one /f /f\n",
            ["https://h.example/f"],
        ),
    ],
)
def test_what_can_not_be_known_is_named_and_never_cached(context: Path, text: str, unknown: list[str]):
    markers, named = salted(context, text, {})
    assert named == unknown
    assert markers
    assert set(markers).isdisjoint(salted(context, text, {}, "more salt")[0])


def test_an_image_named_by_its_digest_can_not_change(context: Path):
    digest = "image@sha256:" + "a" * 64
    assert salted(context, f"FROM x\nCOPY --from={digest} /o /p\n", {}) == ([], [])
    assert salted(context, f"FROM {digest} AS one\nFROM y\nCOPY --from=one /o /p\n", {})[1] == []


class CountingFiles(ContextFiles):
    """Counts how often a file's content is read."""

    def __init__(self, context: Path) -> None:
        super().__init__(context)
        self.read = list[Path]()

    def digest(self, path: Path) -> str:
        self.read.append(path)
        return super().digest(path)


@pytest.mark.parametrize("count", [1, 30])
def test_the_context_is_read_once_however_often_it_is_copied(context: Path, count: int):
    builds = "".join(f"FROM x AS s{n}\nCOPY . /\nRUN b\n" for n in range(count))
    copies = "".join(f"COPY --from=s{n} /o /p\nCOPY --from=s{n} /q /r\n" for n in range(count))
    stages = split_stages(parse_dockerfile(f"{builds}FROM y\n{copies}".encode()))
    files = CountingFiles(context)
    assert len(list(Markers(stages, files, {}).edits(stages.stages))) == 3 * count
    assert sorted(files.read) == sorted(path for path in context.rglob("*"))


def test_a_long_chain_of_stages_has_a_marker(context: Path):
    chain = "".join(f"FROM s{n - 1} AS s{n}\nCOPY --from=s{n - 1} /a /b\n" for n in range(1, 1500))
    assert len(marked(context, f"FROM x AS s0\nCOPY a /\n{chain}")) == 1499


def test_a_source_above_the_context_is_in_it(context: Path):
    assert marked(context, "FROM x\nCOPY ../../d /x\n") == marked(context, "FROM x\nCOPY d /x\n") != []
