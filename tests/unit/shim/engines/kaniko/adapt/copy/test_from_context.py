import lzma
from pathlib import Path

import pytest
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.context.prepare import make_aliases, make_trees
from kaniko_shim.engines.kaniko.adapt.context.tree import DirectoryTree
from kaniko_shim.engines.kaniko.adapt.copy.from_context import ContextCopies
from kaniko_shim.engines.kaniko.adapt.copy.rewrite import CopyInputs, rewrite_copies
from kaniko_shim.engines.kaniko.adapt.copy.trees.aliases import Aliases
from kaniko_shim.engines.kaniko.adapt.copy.words import words_of
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.outcome.errors import JobError
from support.copies import copy_scopes
from unit.shim.archives.archives import tar_of

OLD, NEW = Support(is_old=True), Support()


class Context:
    """A context, and the trees that COPY adds to it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "context"
        self.aliases = Aliases(f"{directory}/aliases", str(self.root))
        self.prepared = directory / "prepared"
        for name in ("d/a.txt", "d/sub/b.txt", "d/sub/b.md", "one.txt", "odd[1].txt"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(name)
            (self.root / name).chmod(0o640)
        for path in (self.root, self.root / "d", self.root / "d/sub"):
            path.chmod(0o755)
        (self.root / "empty").mkdir()
        (self.root / "l.txt").symlink_to("one.txt")
        (self.root / "ld").symlink_to("/d")
        (self.root / "nowhere").symlink_to("/etc/passwd")

    def copy(self, lines: str, support: Support = NEW) -> Instruction:
        """The last instruction of a stage, as the executor gets it."""
        copies = ContextCopies(DirectoryTree(self.root), support, "../prepared", self.aliases)
        draft = Draft.of(f"FROM x\n{lines}\n".encode())
        made = rewrite_copies(copy_scopes(draft), support, CopyInputs("../h", copies))
        make_aliases(self.aliases)
        make_trees(copies.prepared, self.root, self.prepared)
        return parse_dockerfile(draft.then(made.edits).written().content)[-1]

    def sources(self, lines: str, support: Support = NEW) -> list[Path]:
        """What the sources of the last instruction lead to."""
        return [self.root / source for source in words_of(self.copy(lines, support)).sources]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


@pytest.mark.parametrize("source", ["d", "d/", "./d", "/d", "../d", "ld", "d*", '"d"'])
def test_a_directory_gets_a_second_path_of_which_it_alone_is_excluded(context: Context, source: str):
    (path,) = context.sources(f"COPY {source} /x/")
    assert path.resolve() == context.root / "d"
    (excluded, kept) = context.aliases.patterns()
    place = excluded.removeprefix("*")
    assert (place.startswith("/"), kept) == (True, f"!{excluded}/*")
    assert Path(place).resolve() == context.root / "d"


@pytest.mark.parametrize(
    "line",
    [
        "COPY one.txt /x",
        "COPY *.txt /x/",
        "COPY empty /x",
        "COPY missing /x",
        "COPY --from=x d /x",
        "COPY <<E /x\nd\nE",
        "ADD https://h.example/d /x",
    ],
)
def test_all_else_stays_as_it_is(context: Context, line: str):
    made = context.copy(line)
    assert made.head + made.rest == line.partition("\n")[0]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("COPY --chown=1 d/sub /x", True),
        ("COPY --chown=1 ld /x", True),
        ("COPY --chmod=700 . /x", False),
        ("WORKDIR /x\nCOPY --chmod=700 . .", True),
        ("WORKDIR /x/y\nCOPY --chmod=700 . /x", True),
        ("COPY one.txt /x/y/\nCOPY --chmod=700 . /x/y", True),
        ("COPY --chmod=700 . .", True),
        ("COPY --chmod=700 . sub", False),
    ],
)
def test_a_destination_that_may_be_missing_is_made_as_in_buildkit(context: Context, line: str, *, kept: bool):
    paths = context.sources(line)
    assert ["aliases" in path.parts for path in paths] == ([True] if kept else [False, True])
    # The destination is made for a file, whose directory gets no mode of the context.
    assert all(path.is_file() for path in paths[:-1])


@pytest.mark.parametrize(
    ("line", "support", "before"),
    [
        ("COPY f /x", NEW, [[".a"]]),
        ("COPY --chown=1 f /x", NEW, [[".a"]]),
        ("COPY --chown=1 f /x", OLD, None),
        ("COPY --chmod=700 f /x", NEW, None),
        ("WORKDIR /x\nCOPY f .", NEW, []),
        ("COPY f/.a /x", NEW, []),
    ],
)
def test_a_missing_destination_is_made_for_a_directory_where_there_is_no_file(
    context: Context, line: str, support: Support, before: list[list[str]] | None
):
    (context.root / "f/.a").mkdir(parents=True)
    (context.root / "f/.a").chmod(0o775)
    (context.root / "f/.a/file").touch()
    *first, last = context.sources(line, support)
    assert ("aliases" in last.parts) is (before is not None)
    assert [[each.name for each in path.iterdir()] for path in first] == (before or [])
    assert all(each.stat().st_mode & 0o7777 == 0o755 for path in first for each in path.iterdir())


def test_an_archive_is_not_unpacked_to_make_a_destination(context: Context):
    for name in ("f/.a", "f/b"):
        (context.root / name).mkdir(parents=True)
        (context.root / name).chmod(0o775)
    (context.root / "f/archive").write_bytes(tar_of({"m": b"m"}))
    first, _ = context.sources("ADD f /x")
    assert [each.name for each in first.iterdir()] == [".a"]
    (context.root / "f/text").touch()
    first, _ = context.sources("ADD f /x")
    assert first == context.root / "f/text"


def test_a_link_is_followed_and_keeps_its_name(context: Context):
    (path,) = context.sources("COPY l.txt /x/")
    assert (path.name, path.is_symlink(), path.read_text()) == ("l.txt", False, "one.txt")


def test_a_link_out_of_the_context_leads_nowhere(context: Context):
    with pytest.raises(JobError) as caught:
        context.copy("COPY nowhere /x")
    assert (caught.value.failure.line, "nowhere" in caught.value.failure.message) == (2, True)


def test_excluded_files(context: Context):
    (path,) = context.sources("COPY --exclude=**/*.md --chown=1 --exclude=a.txt d /x")
    assert sorted(str(each.relative_to(path)) for each in path.rglob("*")) == ["sub", "sub/b.txt"]
    assert context.copy("COPY --exclude=x --chown=1 d /x").flags == (("--chown", "1"),)


def test_an_excluded_name_that_begins_with_a_hash_is_no_comment(context: Context):
    (context.root / "d/#secret").write_text("x")
    (path,) = context.sources("COPY --exclude=#secret d /x")
    assert {each.name for each in path.rglob("*")} == {"a.txt", "sub", "b.txt", "b.md"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("d/sub/b.txt", ["d", "d/sub", "d/sub/b.txt"]),
        ("d/./sub/*.md", ["sub", "sub/b.md"]),
        ("d/./", ["a.txt", "sub", "sub/b.md", "sub/b.txt"]),
        ("**/*.md", ["d", "d/sub", "d/sub/b.md"]),
    ],
)
def test_parents(context: Context, source: str, expected: list[str]):
    (path,) = context.sources(f"COPY --parents {source} /x/")
    assert sorted(str(each.relative_to(path)) for each in path.rglob("*")) == expected


@pytest.mark.parametrize(
    "flags", ["--chmod=u=rwX,go=rX", "--chmod=g+w", "--chmod=4755", "--chmod=$M", "--from=s --chmod=u+x"]
)
def test_modes_that_an_old_executor_does_not_know_are_refused(context: Context, flags: str):
    line = f"ARG M=+x\nCOPY {flags} one.txt d/sub /x/"
    with pytest.raises(JobError, match="only octal numbers up to 777") as caught:
        context.copy(line, OLD)
    assert caught.value.failure.line == 3
    assert ("--chmod", flags.partition("--chmod=")[2]) in context.copy(line).flags


@pytest.mark.parametrize(
    "line", ["COPY --exclude=$A d /x", "COPY --parents $A /x", "COPY --chmod=u+x <<E one.txt /x/\nE"]
)
def test_what_is_not_known_is_refused(context: Context, line: str):
    with pytest.raises(JobError) as caught:
        context.copy(line, OLD)
    assert caught.value.failure.line == 2


def test_variables_of_the_dockerfile_are_known(context: Context):
    assert context.sources("ARG A=d\nENV B=$A/sub\nCOPY $B /x")[0].resolve() == context.root / "d/sub"


@pytest.mark.parametrize("source", ["a.tar.xz", "$A", "link.xz", "*.xz"])
def test_an_archive_that_the_executor_can_not_decompress_is_added_as_a_plain_tar(context: Context, source: str):
    content = tar_of({"x": b"1"})
    (context.root / "a.tar.xz").write_bytes(lzma.compress(content))
    (context.root / "link.xz").symlink_to("a.tar.xz")
    assert {path.read_bytes() for path in context.sources(f"ARG A=a.tar.xz\nADD {source} /x/")} == {content}
    assert context.copy("COPY a.tar.xz /x/").rest == "a.tar.xz /x/"
