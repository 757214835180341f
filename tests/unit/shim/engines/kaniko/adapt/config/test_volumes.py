import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.rewrite import rewrite_config
from kaniko_shim.engines.kaniko.adapt.config.volumes import volume_text
from kaniko_shim.engines.kaniko.adapt.draft import Draft


def volumes(text: str) -> tuple[str, ...]:
    return rewrite_config(split_stages(parse_dockerfile(text.encode())), {}, {}, lambda _: {}, "\\").volumes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nVOLUME /a /b\nRUN 1\nVOLUME /c\n", ("/a", "/b", "/c")),
        ('FROM x\nENV D=/d\nVOLUME ["/a b", "$D"]\nENV D=/e\n', ("/a b", "/d")),
        ("FROM x AS a\nVOLUME /a\nFROM a\nVOLUME /b\n", ("/a", "/b")),
        ("FROM x AS a\nVOLUME /a\nFROM y\nCOPY --from=a /a /b\n", ()),
    ],
)
def test_the_volumes_of_the_image(text: str, expected: tuple[str, ...]):
    assert volumes(text) == expected


def test_a_path_is_written_so_that_it_is_not_expanded_again():
    assert volume_text(["/a$b", "/a b", "/a b"]) == 'VOLUME ["/a\\\\$b", "/a\\\\ b"]'


def test_an_instruction_at_the_end_belongs_to_the_last_line():
    made = Draft.of(b"FROM x\nRUN a \\\n  b").with_last("VOLUME /v")
    assert [(each.text, each.line) for each in made.instructions] == [
        ("FROM x", 1),
        ("RUN a b", 2),
        ("VOLUME /v", 2),
    ]


@pytest.mark.parametrize(
    "end",
    [
        'CMD ["/bin/busybox"] \\\n# comment\n',
        'CMD ["/bin/busybox"] \\',
        'CMD ["/bin/busybox"] \\\n\n\n',
        '# escape=`\nCMD ["/bin/busybox"] `\n',
        "RUN a \\\n  && b \\\n",
        "RUN <<E\nb \\\nE\n",
    ],
)
def test_an_instruction_that_goes_on_at_the_end_does_not_take_it_in(end: str):
    begin = "# escape=`\n" if "escape" in end else ""
    content = f"{begin}FROM x\n{end.removeprefix(begin)}".encode()
    made = Draft.of(content).with_last('VOLUME ["/v"]')
    *others, last = parse_dockerfile(made.written().content)
    assert [each.text.rstrip() for each in others] == [each.text.rstrip() for each in parse_dockerfile(content)]
    assert last.text == 'VOLUME ["/v"]'
    assert made.instructions[-1].line == made.instructions[-2].line
