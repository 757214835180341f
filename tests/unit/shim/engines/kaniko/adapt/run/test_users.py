import pytest
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.engines.kaniko.adapt.run.users import rewrite_users


def rewritten(text: str, *, sets_home: bool = False) -> list[str]:
    draft = Draft.of(text.encode())
    made = rewrite_users(split_stages(draft.instructions), lambda _, name: sets_home and name == "HOME")
    return [line for line in draft.then(made.edits).written().text.splitlines() if line]


@pytest.mark.parametrize("user", ["app", "root", "0", "00", "$UID"])
def test_what_every_executor_reads_as_docker_stays(user: str):
    text = f"FROM x\nUSER {user}\nRUN a\n"
    assert rewritten(text) == text.splitlines()


@pytest.mark.parametrize("user", ["1000", "app:web", "1000:1000", "root:5"])
def test_a_number_or_a_group_takes_the_program(user: str):
    assert rewritten(f'FROM x\nUSER {user}\nRUN --network=host a b\nRUN ["c"]\n') == [
        "FROM x",
        f"USER {user}",
        "USER 0",
        f'RUN --network=host ["/kaniko/.Shim/bin/as-user", "{user}", "own", "/bin/sh", "-c", "a b"]',
        f"USER {user}",
        "USER 0",
        f'RUN ["/kaniko/.Shim/bin/as-user", "{user}", "own", "c"]',
        f"USER {user}",
    ]


def test_user_and_shell_come_from_the_base_stage():
    text = 'FROM x AS a\nSHELL ["/s", "-x"]\nUSER 5\nFROM a\nRUN a\nUSER app\nRUN b\n'
    assert rewritten(text, sets_home=True)[5:] == [
        'RUN ["/kaniko/.Shim/bin/as-user", "5", "keep", "/s", "-x", "a"]',
        "USER 5",
        "USER app",
        "RUN b",
    ]


def test_what_the_executor_will_log_is_known():
    draft = Draft.of(b"FROM x\nUSER 5\nRUN  a   b\n")
    made = rewrite_users(split_stages(draft.instructions), lambda _, _name: False)
    assert made.given == {"RUN a b": {'RUN ["/kaniko/.Shim/bin/as-user", "5", "own", "/bin/sh", "-c", "a b"]'}}


def test_a_library_of_the_image_stays_out_of_the_program():
    draft = Draft.of(b"FROM x\nUSER 5\nRUN a\n")
    made = rewrite_users(split_stages(draft.instructions), lambda _, name: name == "LD_PRELOAD")
    assert (made.edits, [each.line for each in made.left]) == ((), [3])
