import pytest
from kaniko_shim.dockerfile.mount_secrets import unused_secrets
from kaniko_shim.dockerfile.mounts import Mount, MountType, parse_mount
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.engines.kaniko.adapt.run.mount_checks import refuse_mounts
from kaniko_shim.engines.kaniko.adapt.run.mounted import mounted_run
from kaniko_shim.outcome.errors import JobError


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("target=.", Mount(target=".")),
        ('type=cache,"target=/a,b"', Mount(MountType.CACHE, target="/a,b")),
        ("TYPE=Cache,dst=$D,id=x$D", Mount(MountType.CACHE, target="/d", id="x/d")),
        (
            "type=secret,id=a,required,mode=0440,uid=1",
            Mount(MountType.SECRET, id="a", required=True, mode=0o440, uid=1),
        ),
        ("type=secret,src=a,env=A", Mount(MountType.SECRET, source="a", env="A")),
        ("type=tmpfs,target=/t,size=64m", Mount(MountType.TMPFS, target="/t")),
        ("from=s,source=/x,destination=/y,rw", Mount(origin="s", source="/x", target="/y", writable=True)),
        ("type=cache,target=/c,sharing=LOCKED", Mount(MountType.CACHE, target="/c", sharing="locked")),
    ],
)
def test_the_options_of_a_mount(text: str, mount: Mount):
    assert parse_mount(text, {"D": "/d"}) == mount


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("type=other", "'other' is not a type of mount; write bind, cache, tmpfs, secret, ssh"),
        ("target", "'target' has no value"),
        ("typo=x", "'typo' is not an option"),
        ("type=bind,mode=7", "mode is not an option of type=bind"),
        ("type=cache,required", "required is not an option of type=cache"),
        ("type=bind,sharing=shared", "sharing is not an option"),
        ("type=cache,mode=9", "mode='9': write an octal number"),
        ("type=secret", "a secret needs an id"),
        ("type=secret,id=a,from=b", "a secret has no from"),
        ('"type=cache', "is not a line of CSV"),
        ("ro=x", "write true or false"),
    ],
)
def test_a_mount_that_is_malformed(text: str, problem: str):
    with pytest.raises(ValueError, match=problem.replace("(", r"\(")):
        parse_mount(text, {})


@pytest.mark.parametrize(
    ("mount", "place"),
    [
        (Mount(target="."), "/src"),
        (Mount(target="x/../y"), "/src/y"),
        (Mount(MountType.CACHE, target="/a/../b"), "/b"),
        (Mount(MountType.SECRET, id="a/b"), "/run/secrets/b"),
        (Mount(MountType.SECRET, id="a", target="x"), "/x"),
        (Mount(MountType.SECRET, id="a", env="A"), ""),
        (Mount(MountType.SECRET, id="a", env="A", target="/x"), "/x"),
    ],
)
def test_where_a_mount_appears(mount: Mount, place: str):
    assert mount.place("/src") == place


def test_the_key_covers_the_mounts_and_what_is_bound_from_the_context():
    def key(*mounts: str, content: str = "1") -> str:
        return mounted_run(("a",), mounts, lambda path: path + content).key

    assert key("target=/x") == key("target=/x")
    assert key("target=/x") != key("target=/y")
    assert key("target=/x") != key("target=/x", content="2")
    assert key("type=secret,id=a") == key("type=secret,id=a", content="2")
    assert key("type=bind,source=$S,target=/x") != key("type=bind,source=$S,target=/x", content="2")


def test_a_stage_is_copied_to_a_place_of_the_one_command():
    first = mounted_run(("a",), ["from=s,target=/x"], None)
    second = mounted_run(("b",), ["from=s,target=/x"], None)
    assert first.key == second.key
    assert first.copied[0] != second.copied[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("RUN --mount=type=ssh make", "needs an SSH agent"),
        ("RUN --mount='type=ssh' make", "needs an SSH agent"),
        ("RUN --mount=type=cache,from=s,target=/x make", "cannot fill a cache mount"),
        ("RUN --mount=type=secret,id=npm,required make", "the build has no secret 'npm'"),
        ("RUN --mount=from=S,target=/x make", "cannot mount all of a stage"),
        ("RUN --mount=from=0,source=/,target=/x make", "cannot mount all of a stage"),
        ("RUN --mount=type=other make", "--mount=type=other: 'other' is not a type"),
    ],
)
def test_what_is_refused(text: str, problem: str):
    with pytest.raises(JobError, match=f"Dockerfile line 2: .*{problem}"):
        refuse_mounts(parse_dockerfile(f"FROM x AS s\n{text}\n".encode()), {"other"}, "Dockerfile")


@pytest.mark.parametrize(
    "text",
    [
        "RUN --mount=type=secret,id=npm make",
        "RUN --mount=type=secret,id=other,required make",
        "RUN --mount=type=secret,id=$ID,required make",
        "RUN --mount=from=image,target=/x make",
        "RUN --mount=type=$TYPE,target=/x make",
        "ONBUILD RUN --mount=type=ssh make",
    ],
)
def test_what_is_not_refused(text: str):
    refuse_mounts(parse_dockerfile(f"FROM x AS s\n{text}\n".encode()), {"other"}, "Dockerfile")


def test_a_secret_that_nothing_mounts_is_named():
    instructions = parse_dockerfile(b"FROM x\nRUN --mount=type=secret,id=used make\n")
    (warning,) = unused_secrets(instructions, {"used", "idle"})
    assert warning.startswith("No RUN mounts the build secret idle.")
    assert not list(unused_secrets(parse_dockerfile(b"FROM x\nRUN --mount=type=secret,id=$X make\n"), {"idle"}))
