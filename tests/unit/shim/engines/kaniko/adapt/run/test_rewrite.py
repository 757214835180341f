from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.run.rewrite import rewrite_runs


def test_the_shell_of_a_base_image_is_looked_up_where_it_is_needed():
    stages = b'FROM x AS a\nRUN 1\nFROM a\nRUN <<E\n2\nE\nSHELL ["/s"]\nRUN <<E\n3\nE\n'
    text = stages + b"FROM y\nRUN 4\nFROM scratch\nRUN <<E\n5\nE\n"
    asked = []

    def shell_of(image: str) -> tuple[str, ...]:
        asked.append(image)
        return ("/bin/bash", "-c")

    runs = rewrite_runs(split_stages(parse_dockerfile(text)), "/h", None, shell_of)
    assert [edit.text for edit in runs.edits] == [
        'RUN ["/bin/bash", "-c", "2\\n"]',
        'RUN ["/s", "3\\n"]',
        'RUN ["/bin/sh", "-c", "5\\n"]',
    ]
    assert asked == ["x"]


def test_a_run_with_mounts_starts_the_program_with_a_key():
    text = b"FROM x AS a\nFROM b\nRUN --mount=from=a,source=/o,target=/t --network=host a  b\n"
    runs = rewrite_runs(split_stages(parse_dockerfile(text)), "/h")
    (plan,) = runs.mounted
    copy, run = (edit.text for edit in runs.edits)
    assert copy == f'COPY --from=a ["/o", "{plan.copied[0]}"]'
    assert run == f'RUN ["/kaniko/.Shim/bin/with-mounts", "{plan.key}", "/bin/sh", "-c", "a  b"]'
    assert plan.given == {" ".join(run.split())}
    assert plan.words == ("/bin/sh", "-c", "a  b")
