"""Looks at the files that COPY --from takes from stages and images, while the executor has them.

It deletes those of a stage soon after it has saved them for later stages. So they are looked at when it takes the last
snapshot of the stage, when it saves them, and, as it has saved them, when it begins to copy them. Those of an image
stay once it has unpacked the image. It would wait for a named pipe and read a device forever, and it copies links,
owners and set-id bits differently from Docker.
"""

import contextlib
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import place_of, split_stages
from kaniko_shim.engines.kaniko.adapt.copy.sources import has_pattern
from kaniko_shim.engines.kaniko.adapt.copy.words import words_of
from kaniko_shim.engines.kaniko.adapt.run.mounted import BINDS
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason

_SAVING = re.compile(r"Saving file (.+) for later use")
_KINDS = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
_ROOTS = ("0", "root")
# Of the maintained line, and of kaniko up to 1.25.
_IMAGES = (Path("/kaniko/deps"), Path("/kaniko"))
_USUAL = 0o755
_CAPABILITIES = "security.capability"
_SNAPSHOT = "Taking snapshot of "
_CHANGING = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})


@dataclass(slots=True)
class _Found:
    """What is worth knowing of a file or directory that is saved.

    Attributes:
        is_link: whether it is a link itself.
        is_directory: whether it is a directory.
        mode: its permission bits, if it is a directory; otherwise 0.
        owner: its owner.
        special: the first pipe, socket or device in it: its kind and path.
        links: the owners of links in it.
        set_id: whether it is a directory that holds files or directories with set-id bits.
        capabilities: whether it is a directory that holds files with capabilities.
        hard_links: whether two files in it are the same.
    """

    is_link: bool = False
    is_directory: bool = False
    mode: int = 0
    owner: tuple[int, int] = (0, 0)
    special: tuple[str, Path] | None = None
    links: set[tuple[int, int]] = field(default_factory=set)
    set_id: bool = False
    capabilities: bool = False
    hard_links: bool = False


class SavedFiles:
    """Reads the executor's log for files that are saved.

    Attributes:
        instructions: the Dockerfile's, as the executor gets them, with the lines of the user's.
        root: the root directory of the stages.
        images: the directories in one of which the executor unpacks images, each under its name, and keeps what it has
            saved of stages, under their numbers.
        destinations: the absolute destination of each COPY, as far as it is known.
        capable: the absolute paths below which there are programs with capabilities, as far as that is known before the
            build: the executor may have removed them before they are looked at.
        copies_modes: whether the executor gives a destination the mode of the directory that is copied to it.
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        root: Path = Path("/"),
        images: Sequence[Path] = _IMAGES,
        *,
        destinations: Mapping[Instruction, str] | None = None,
        capable: Sequence[str] = (),
        copies_modes: bool = False,
    ) -> None:
        self.root = root
        self.images = images
        self.copies_modes = copies_modes
        self.destinations = destinations or {}
        self.capable = capable
        self._waiting = Path()
        self._said = set[str]()
        self.instructions = [
            each
            for each in instructions
            if each.flag("--from") is not None and not words_of(each).destination.startswith(BINDS)
        ]
        stages = split_stages(instructions).stages
        numbers = {stage.name: str(stage.index) for stage in stages if stage.name}
        #: By the text of a COPY: the instruction, and the name under which the executor has what is copied.
        self._copies = {
            _on_one_line(each): (each, numbers.get(origin.lower(), origin))
            for each in self.instructions
            if (origin := each.flag("--from") or "")
        }
        #: By the last instruction of a stage that changes files: what is copied from the stage.
        self._of_stages = dict[str, list[Instruction]]()
        for stage in stages:
            last = next((each for each in reversed(stage.instructions) if each.keyword in _CHANGING), None)
            if last:
                origins = {str(stage.index), stage.name}
                copies = [each for each in self.instructions if (each.flag("--from") or "").lower() in origins]
                self._of_stages.setdefault(_on_one_line(last), []).extend(copies)
        self._ending: Sequence[Instruction] = ()
        #: Of the COPY that runs: the path, its owner, and the directory that may be made for it.
        self._made: tuple[Instruction, str, tuple[int, int], str] | None = None
        #: By path: what was found at the last snapshot, if it is saved by itself, and as a part of a directory.
        self._early = dict[str, tuple[_Found, _Found]]()

    def read(self, message: str) -> Iterator[str]:
        """Warnings about what the executor is about to save.

        Raises:
            JobError: DockerfileUnsupported; the executor would never end.
        """
        if not self.instructions:
            return
        if match := _SAVING.fullmatch(message):
            yield from self._read_saving(match[1].strip("/"))
        elif message.startswith(_SNAPSHOT):
            yield from self._look_at_owner()
            self._look_early()
        else:
            text = " ".join(message.split())
            self._ending = self._of_stages.get(text, self._ending)
            if begun := self._copies.get(text):
                yield from self._read_copy(*begun)

    def _look_early(self) -> None:
        """The stage may be done: look at all that is copied from it."""
        for copy in self._ending:
            for path in _named(copy, "", self.root):
                self._early[path] = _look_at(self.root / path), _look_at(self.root / path, inside=True)

    def _read_saving(self, path: str) -> Iterator[str]:
        """Warnings about a file or directory that is saved."""
        self._waiting = self.root / path
        self._ending = ()
        named = [(each, _named(each, path, self.root)) for each in self.instructions]
        early = [each for each in self._early if f"{each}/".startswith(f"{path}/")]
        seen = [_look_at(self.root / path), *(part for each in early for part in self._early[each])]
        if special := next((each.special for each in seen if each.special), None):
            copies = [each for each, paths in named if paths or any(_names(each, path) for path in early)]
            raise JobError.of(_refusal(special, copies, self.root))
        for copy, paths in named:
            for each in dict.fromkeys([*paths, *(found for found in early if _names(copy, found))]):
                inside = each != path
                alone, part = self._early.get(each) or (None, None)
                found = (part if inside else alone) or _look_at(self.root / each, inside=inside)
                if any(f"{known.strip('/')}/".startswith(f"{each}/") for known in self.capable):
                    found = replace(found, capabilities=True)
                yield from self._warnings(copy, each, found)
        for each in early:
            del self._early[each]

    def _read_copy(self, copy: Instruction, name: str) -> Iterator[str]:
        """Warnings about a COPY that begins."""
        root = next((place for directory in self.images if (place := directory / name).is_dir()), None)
        if root is None:
            return
        for path in dict.fromkeys(_named(copy, "", root)):
            self._waiting = root / path
            found = _look_at(root / path, inside=True)
            if found.special:
                raise JobError.of(_refusal(found.special, [copy], root))
            if not copy.flag("--chown") and found.owner != (0, 0) and (into := self._made_for(copy, path, found)):
                self._made = copy, path, found.owner, into
            # Of a stage, those that are lost are lost already.
            lost = not name.isdigit()
            seen = replace(
                found, set_id=found.set_id and lost, capabilities=found.capabilities and lost and found.is_directory
            )
            yield from self._warnings(copy, path, seen)

    def _made_for(self, copy: Instruction, path: str, found: _Found) -> str:
        """The directory that a COPY of a path makes if it is missing; empty if that is not known."""
        destination = self.destinations.get(copy, "")
        sources = words_of(copy).sources
        first = place_of(sources[0].strip("\"'"))
        if path != first and not PurePosixPath(path).match(first):
            # Others than the first source find it made.
            return ""
        is_itself = found.is_directory or destination.endswith("/") or len(sources) > 1
        return destination.rstrip("/") if is_itself else posixpath.dirname(destination)

    def _look_at_owner(self) -> Iterator[str]:
        """A COPY is done: it has made a directory for what it copied, perhaps, or given one another owner."""
        if self._made is None:
            return
        copy, path, owner, into = self._made
        self._made = None
        with contextlib.suppress(OSError):
            status = os.lstat(self.root / into.lstrip("/"))
            if (status.st_uid, status.st_gid) == owner:
                yield from self._once(
                    f"line {copy.line}: COPY --from gives the directory {into} the owner of /{path} "
                    f"({owner[0]}:{owner[1]}), where Docker leaves a directory that exists as it is, and makes a new "
                    "one root's. Set --chown."
                )

    def _warnings(self, copy: Instruction, path: str, found: _Found) -> Iterator[str]:
        for problem in _problems(path, found, copy.flag("--chown") or ""):
            yield from self._once(f"line {copy.line}: COPY --from {problem}")
        if self.copies_modes and found.mode not in {0, _USUAL} and copy.flag("--chmod") is None:
            yield from self._once(
                f"line {copy.line}: COPY --from gives the destination the mode of /{path} ({found.mode:o}), "
                "where Docker gives a new directory 755. Set it in a RUN."
            )

    def _once(self, warning: str) -> Iterator[str]:
        if warning not in self._said:
            self._said.add(warning)
            yield warning

    def look_again(self) -> None:
        """Look again at what was saved or copied last, since the executor is silent.

        Raises:
            JobError: DockerfileUnsupported; the executor waits for a pipe.
        """
        if self._waiting != Path() and (special := _look_at(self._waiting).special):
            roots = (directory / name for directory in self.images for _, name in self._copies.values())
            root = next((each for each in roots if self._waiting.is_relative_to(each)), self.root)
            path = str(self._waiting.relative_to(root))
            raise JobError.of(_refusal(special, [each for each in self.instructions if _named(each, path, root)], root))


def _refusal(special: tuple[str, Path], copies: Sequence[Instruction], root: Path) -> Failure:
    kind, place = special
    line = copies[0].line if copies else 0
    who = f"Line {line}" if line else "A COPY --from"
    return Failure(
        Reason.DOCKERFILE_UNSUPPORTED,
        f"{who} copies the {kind} /{place.relative_to(root)} of another stage or image, which this executor cannot "
        "copy.",
        hint="Remove it in a RUN of the other stage, or copy only the other files.",
        instruction=copies[0].text if copies else "",
        line=line,
    )


def _problems(path: str, found: _Found, owner: str) -> Iterator[str]:
    owned = owner.partition(":")[0] not in _ROOTS if owner else False
    if found.is_link:
        yield f"copies the link /{path} itself, where Docker copies what it leads to. Name that."
    if found.links and (owned or (not owner and found.links != {(0, 0)})):
        yield f"leaves the symbolic links in /{path} to root, where Docker gives them their owner."
    if found.set_id:
        yield f"drops the set-user-ID and set-group-ID bits in /{path}. Name the files, or set the bits in a RUN."
    if found.capabilities:
        yield f"drops the capabilities of files in /{path}. Name the files, or run setcap in a RUN."
    if found.hard_links:
        yield f"copies hard links in /{path} as files of their own."


def _on_one_line(instruction: Instruction) -> str:
    return " ".join(instruction.text.split())


def _names(copy: Instruction, path: str) -> bool:
    """Whether a COPY names a path, as far as that is known."""
    sources = (place_of(word.strip("\"'")) for word in words_of(copy).sources if "$" not in word)
    return any(PurePosixPath(path).match(source) if has_pattern(source) else path == source for source in sources)


def _named(copy: Instruction, path: str, root: Path) -> list[str]:
    """The paths that a COPY names among those that are saved with a path; as far as they are known."""
    named = list[str]()
    for word in words_of(copy).sources:
        source = word.strip("\"'")
        if "$" in source:
            return [path] if path else []
        found = [root / place_of(source)] if not has_pattern(source) else root.glob(place_of(source))
        paths = (str(each.relative_to(root)) for each in found)
        named += [each for each in paths if not path or f"{each}/".startswith(f"{path}/")]
    return named


def _look_at(path: Path, *, inside: bool = False) -> _Found:
    """Look at a file or directory; `inside`: it is saved as a part of a directory."""
    found = _Found()
    seen = set[tuple[int, int]]()
    waiting = [str(path)]
    while waiting:
        place = waiting.pop()
        try:
            status = os.lstat(place)
            is_directory = stat.S_ISDIR(status.st_mode) and (place == str(path) or not os.path.ismount(place))
            waiting += [f"{place}/{name}" for name in os.listdir(place)] if is_directory else []  # noqa: PTH208 - names
        except (OSError, ValueError):
            continue
        if place == str(path):
            found.is_directory = is_directory
        _note(found, Path(place), status, seen, top=place == str(path) and not inside)
        if inside and place == str(path):
            found.is_link = stat.S_ISLNK(status.st_mode)
            found.owner = (0, 0) if found.is_link else (status.st_uid, status.st_gid)
    return found


def _note(found: _Found, place: Path, status: os.stat_result, seen: set[tuple[int, int]], *, top: bool) -> None:
    kind, owner = stat.S_IFMT(status.st_mode), (status.st_uid, status.st_gid)
    if top:
        found.is_link = kind == stat.S_IFLNK
        found.mode = stat.S_IMODE(status.st_mode) if kind == stat.S_IFDIR else 0
        found.owner = owner if kind != stat.S_IFLNK else (0, 0)
        if kind not in _KINDS:
            return
    if kind in _KINDS:
        found.special = found.special or (_KINDS[kind], place)
    elif kind == stat.S_IFLNK:
        found.links.add(owner)
    else:
        found.set_id |= bool(status.st_mode & (stat.S_ISUID | stat.S_ISGID))
    if kind == stat.S_IFREG and not found.capabilities:
        with contextlib.suppress(OSError):
            found.capabilities = bool(os.getxattr(place, _CAPABILITIES, follow_symlinks=False))
    if kind == stat.S_IFREG and status.st_nlink > 1:
        inode = (status.st_dev, status.st_ino)
        found.hard_links |= inode in seen
        seen.add(inode)
