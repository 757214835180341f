"""Random build contexts and Dockerfiles that copy from them."""

import os
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

_NAMES = ("a", "b.txt", "sub", "x y")
_MODES = ("644", "600", "755", "664", "4755", "400")
_OWNERS = ("5:6", "7", "0:0", "nobody")
_DESTINATIONS = ("/new/", "/new/deep/er/", "/home/app/", "./", "/tmp/", "rel/")


@dataclass(frozen=True)
class Node:
    """An entry of a build context: a file, a directory, or a symbolic link where `target` is set."""

    path: str
    directory: bool
    mode: str
    target: str = ""


@dataclass(frozen=True)
class Project:
    """A Dockerfile and its build context; as a string, the commands that make them."""

    nodes: tuple[Node, ...]
    instructions: tuple[str, ...]

    def write(self, directory: Path) -> None:
        """Make the files."""
        directory.mkdir()
        for node in self.nodes:
            path = directory / node.path
            if node.target:
                path.symlink_to(node.target)
            elif node.directory:
                path.mkdir()
            else:
                path.write_text(f"{node.path}\n")
        for node in reversed(self.nodes):
            if not node.target:
                os.chmod(directory / node.path, int(node.mode, 8))  # noqa: PTH101
        (directory / "Dockerfile").write_text(self.dockerfile)

    @property
    def dockerfile(self) -> str:
        """Its text."""
        return "\n".join((*self.instructions, ""))

    def __str__(self) -> str:
        lines = []
        for node in self.nodes:
            if node.target:
                lines.append(f"ln -s '{node.target}' '{node.path}'")
            else:
                make = f"mkdir '{node.path}'" if node.directory else f"echo '{node.path}' > '{node.path}'"
                lines.append(f"{make}; chmod {node.mode} '{node.path}'")
        return "\n".join((*lines, "cat > Dockerfile <<'END'", f"{self.dockerfile}END"))


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """A tree of at most two levels, and up to eight instructions, in one stage or two."""
    nodes = draw(_trees())
    sources = [node.path for node in nodes]
    user = "RUN mkdir -p /home/app && chown 5:6 /home/app && chmod 750 /home/app"
    lines = ["FROM busybox AS first", user, *draw(st.lists(_instructions(sources), max_size=4))]
    if draw(st.booleans()):
        stage = "RUN mkdir -p /out/d && echo o > /out/d/f && chown -R 8:9 /out/d && ln -s d /out/l"
        lines = [lines[0], stage, *lines[2:], "FROM busybox", user]
        lines += draw(st.lists(st.one_of(_instructions(sources), _from_stage()), min_size=1, max_size=5))
    return Project(tuple(nodes), tuple(lines))


@st.composite
def _trees(draw: st.DrawFn) -> list[Node]:
    nodes = []
    for name in draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True)):
        match draw(st.sampled_from(("file", "directory", "link"))):
            case "file":
                nodes.append(Node(name, directory=False, mode=draw(st.sampled_from(_MODES))))
            case "directory":
                nodes.append(
                    Node(name, directory=True, mode=draw(st.sampled_from(("755", "700", "775", "1777", "2775"))))
                )
                below = draw(st.lists(st.sampled_from(_NAMES), max_size=2, unique=True))
                modes = st.sampled_from(("755", "700", "775"))
                nodes += [Node(f"{name}/{each}", draw(st.booleans()), draw(modes)) for each in below]
            case _:
                if nodes:
                    nodes.append(Node(name, directory=False, mode="777", target=nodes[0].path))
    return nodes or [Node("a", directory=False, mode="644")]


def _quoted(*words: str) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


@st.composite
def _copies(draw: st.DrawFn, sources: list[str]) -> str:
    keyword = draw(st.sampled_from(("COPY", "COPY", "ADD")))
    source = draw(st.sampled_from((*sources, ".")))
    flags = draw(
        st.sampled_from(("", "", "", "--chown=5:6 ", "--chown=7 ", "--chmod=640 ", "--chmod=755 --chown=5:6 "))
    )
    destination = draw(st.sampled_from(_DESTINATIONS))
    if source != ".":
        destination += draw(st.sampled_from(("", "", "renamed")))
    return f"{keyword} {flags}{_quoted(source, destination)}"


@st.composite
def _from_stage(draw: st.DrawFn) -> str:
    flags = draw(st.sampled_from(("", "", "--chown=5:6 ")))
    source = draw(st.sampled_from(("/out", "/out/d", "/out/d/f", "/out/l", "/out/", "/home")))
    return f"COPY --from=first {flags}{source} {draw(st.sampled_from(_DESTINATIONS))}"


def _one_of(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


def _instructions(sources: list[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _copies(sources),
        _copies(sources),
        _one_of("USER 5:6", "USER nobody", "USER 0", "USER 7"),
        _one_of("WORKDIR /w", "WORKDIR /home/app/in", "WORKDIR rel/ative", "WORKDIR /"),
        _one_of("ARG A=1", "ARG B=$A", "ENV A=2", "ENV C=${A:-none}$B", 'ENV D="two words"'),
        _one_of("LABEL a=$A b='x y'", 'LABEL c="$C"', 'CMD ["a"]', "ENTRYPOINT e $A", "EXPOSE 80 90/udp"),
        _one_of("RUN chmod 755 /tmp /home", "RUN touch /tmp/t && chmod 4755 /tmp/t", "RUN id -u > /tmp/u"),
        _one_of("RUN mkdir -p /tmp/m && rm -rf /tmp/m", "RUN rm -rf /tmp/*", "RUN env | grep ^A= > /tmp/e; true"),
        _one_of("VOLUME /data", "STOPSIGNAL SIGINT", "HEALTHCHECK CMD true", 'SHELL ["/bin/sh", "-ec"]'),
    )
