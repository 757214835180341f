"""Commands of docs/how-to/standalone.md, docs/reference/builder-image.md and README.md, with each tool."""

import io
import sys
import tarfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pages
import pytest
from images.tool import ROOT, Tool, give
from images.tools import PASSWORD, USERNAME, Tools
from support.registry import Registry
from support.s3 import S3, serve_s3

sys.path.append(str(ROOT / "shim"))

from image.archive import write_archive
from image.names import image_name

PAGE = "docs/how-to/standalone.md"
#: Its commands use the variables of the other page.
REFERENCE = "docs/reference/builder-image.md"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with serve_s3(tmp_path_factory.mktemp("s3"), tls=False) as server:
        server.make_bucket("contexts")
        yield server


@pytest.fixture(params=["docker", "podman", "rootless podman"])
def tool(request: pytest.FixtureRequest, tools: Tools) -> Tool:
    """One with the builder image, and with `.npmrc` in the user's home directory."""
    found = tools.get(request.param)
    (found.home / ".npmrc").write_text("//registry.npmjs.org/:_authToken=secret\n")
    if not found.user:
        found.make("shim/image/build.py")
        return found
    # The program that makes images writes into this tree's cache: what another user has of it is the archive.
    layout = found.make("shim/image/build.py", "--print-layout").split()[-1]
    write_archive(Path(layout), image_name("builder"), found.home / "image.tar")
    give(found.home / "image.tar", found.user)
    loaded = found.shell(f"podman load --input {found.home}/image.tar", found.home)
    assert loaded.returncode == 0, loaded.stderr
    return found


def script(tool: Tool, replaced: dict[str, str]) -> str:
    """The page's commands for a tool. Podman's login takes the place of docker's, as the page says."""
    found = chain(pages.blocks(PAGE), pages.blocks(REFERENCE))
    first, *blocks = (block.commands() for block in found if block.mark == "run: images")
    (own,) = (block for block in blocks if "podman" in block)
    blocks.remove(own)
    if tool.name == "podman":
        first = first.splitlines()[0] + "\n" + own
    # The volume with the cache is to be seen by the next build.
    blocks += [block for block in blocks if "caches:" in block]
    if tool.name == "podman":
        blocks = [block.replace("~/.docker/config.json", '"$REGISTRY_AUTH_FILE"') for block in blocks]
    else:
        # It names the file of docker's credentials.
        blocks += [block.commands() for block in pages.blocks("README.md") if block.mark == "run: images"]
    text = "".join([first, *blocks]).replace("docker run", f"{tool.name} run")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_every_command_does_what_the_page_says(tool: Tool, project: Path, registry: Registry, bases: Registry, s3: S3):
    s3.put("contexts", "app.tar.gz", _archive(f"FROM {bases.address}/library/busybox\nRUN echo far > /far\n"))
    repository = f"{registry.address}/{tool.name}-{tool.user}/app".replace("-/", "/")
    replaced = {
        "registry.example.com/team/app": repository,
        "registry.example.com": registry.address,
        "https://minio.example.com:9000": s3.url,
    }
    if tool.user:
        give(project, tool.user)
    keys = {"SOURCE_ACCESS_KEY_ID": "AKIDEXAMPLE", "SOURCE_SECRET_ACCESS_KEY": "secret"}
    done = tool.shell(f"umask 022\n{script(tool, replaced)}", project, USERNAME=USERNAME, PASSWORD=PASSWORD, **keys)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr

    images = [registry.files(f"{repository}:{tag}") for tag in (1, 2, 3, 4, 5)]
    for image in (images[0], images[1], images[3], images[4]):
        assert image["/app/main.txt"].content == b"text\n"
        assert image["/user"].content == b"0\n"
    assert ["/secret" in image for image in images] == [False, False, False, True, False]
    assert images[2]["/far"].content == b"far\n"
    assert images[3]["/builds"].content == b"2\n"


def _archive(dockerfile: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile.encode()))
    return packed.getvalue()
