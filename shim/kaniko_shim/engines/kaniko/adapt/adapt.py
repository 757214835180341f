"""Adapts the user's Dockerfile, so that the executor interprets it as Docker would interpret the original."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import Stages, split_stages
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.config.arguments import rewrite_arguments
from kaniko_shim.engines.kaniko.adapt.config.rewrite import InvalidInstructionError, rewrite_config
from kaniko_shim.engines.kaniko.adapt.config.variables import Environment, Place, walk
from kaniko_shim.engines.kaniko.adapt.config.volumes import volume_text
from kaniko_shim.engines.kaniko.adapt.context.files import Files
from kaniko_shim.engines.kaniko.adapt.context.links import CopiedSource
from kaniko_shim.engines.kaniko.adapt.copy.differences import unpacks_capabilities
from kaniko_shim.engines.kaniko.adapt.copy.from_context import ContextCopies
from kaniko_shim.engines.kaniko.adapt.copy.owners import name_without_group
from kaniko_shim.engines.kaniko.adapt.copy.rewrite import CopyInputs, rewrite_copies
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope, scopes
from kaniko_shim.engines.kaniko.adapt.copy.set_id import keep_set_id
from kaniko_shim.engines.kaniko.adapt.copy.split import split_adds
from kaniko_shim.engines.kaniko.adapt.copy.trees.aliases import Aliases
from kaniko_shim.engines.kaniko.adapt.copy.trees.prepared import PreparedTree
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, words_of
from kaniko_shim.engines.kaniko.adapt.draft import Draft, Edit
from kaniko_shim.engines.kaniko.adapt.old import Markers, end_scopes
from kaniko_shim.engines.kaniko.adapt.run.mounted import MountedRun
from kaniko_shim.engines.kaniko.adapt.run.rewrite import MountSourceError, RewrittenRuns, rewrite_runs
from kaniko_shim.engines.kaniko.adapt.run.shells import ImageShell
from kaniko_shim.engines.kaniko.adapt.run.users import ImageUser, rewrite_users
from kaniko_shim.outcome.reasons import Reason


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """Everything besides the Dockerfile that its meaning depends on.

    Attributes:
        context: the context's directory.
        files: what the context holds; None if layers are not cached.
        heredocs: directory for the files that heredocs become.
        arguments: the build arguments' values.
        values: those of the variables in FROM.
        automatic: the variables that Docker sets by itself, with their values.
        environment: gives the variables that a base image sets; None if it cannot be found.
        name: the Dockerfile's, for messages.
        digest_of: looks up the digest of an image named by a tag; empty if it cannot be found.
        salt: a text that differs in every build.
        shell_of_image: looks up the SHELL that a base image sets.
        tree: the context; None if nothing is known of its files.
        aliases: directory for second paths of directories.
        prepared: directory for trees that are prepared.
    """

    context: str
    files: Files | None = None
    heredocs: str = "/kaniko/.heredocs"
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    automatic: Mapping[str, str] = field(default_factory=dict)
    environment: Environment = field(default=lambda _: None, repr=False)
    name: str = "Dockerfile"
    digest_of: Callable[[str], str] = field(default=lambda _: "", repr=False)
    salt: str = ""
    shell_of_image: ImageShell = field(default=lambda _: (), repr=False)
    user_of_image: ImageUser = field(default=lambda _: None, repr=False)
    tree: ContextTree | None = None
    aliases: str = "/kaniko/.aliases"
    prepared: str = "/kaniko/.prepared"


@dataclass(frozen=True, slots=True)
class Adapted:
    """The adapted Dockerfile, and what goes with it.

    Attributes:
        draft: the changed Dockerfile.
        heredocs: files to write for heredocs, by path below their directory: content and mode.
        labels: what the Dockerfile's LABELs set, which are left out.
        uncached: images and URLs whose changes the cache cannot notice; no layer after them is taken from it.
        mounted: the RUNs with mounts.
        aliases: second paths of directories to make.
        prepared: trees to prepare next to the context, by name.
        warnings: what COPY, ADD and RUN do differently from Docker.
        copied: the sources of COPY and ADD in the context.
        named_owners: the user that a COPY or ADD gives its files to, where `--chown` names no group.
        destinations: the absolute destination of each COPY --from; empty where it is not known.
        capable: the absolute destinations to which ADD unpacks programs with capabilities.
    """

    draft: Draft
    heredocs: Mapping[str, tuple[str, int]]
    labels: Mapping[str, str]
    uncached: tuple[str, ...] = ()
    mounted: tuple[MountedRun, ...] = ()
    aliases: Aliases = field(default_factory=lambda: Aliases("", "/"))
    prepared: Mapping[str, PreparedTree] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    copied: tuple[CopiedSource, ...] = ()
    named_owners: Mapping[Instruction, str] = field(default_factory=dict)
    destinations: Mapping[Instruction, str] = field(default_factory=dict)
    capable: tuple[str, ...] = ()


def adapt(draft: Draft, support: Support, inputs: BuildInputs) -> Adapted:
    """Adapt a Dockerfile to the executor, in steps: each one reads what the one before has made.

    Args:
        draft: only the stages that are built.
        support: what the executor supports.
        inputs: everything else that counts.

    Raises:
        JobError: DockerfileInvalid or DockerfileUnsupported, naming the line.
    """
    draft, labels = _adapt_config(draft, support, inputs)
    tree = inputs.tree
    capable = [each.destination for each in _scopes(draft, inputs) if tree and unpacks_capabilities(each, tree)]
    runs = _rewrite_runs(draft, inputs)
    draft = draft.then(runs.edits)
    if inputs.tree:
        draft = draft.then(split_adds(_scopes(draft, inputs), inputs.tree))
        draft = draft.then(keep_set_id(_scopes(draft, inputs), inputs.tree, support))
    aliases = Aliases(inputs.aliases, inputs.context)
    directory = posixpath.relpath(inputs.prepared, inputs.context)
    trees = ContextCopies(inputs.tree, support, directory, aliases) if inputs.tree else None
    heredocs = posixpath.relpath(inputs.heredocs, inputs.context)
    copies = rewrite_copies(_scopes(draft, inputs), support, CopyInputs(heredocs, trees, inputs.name))
    uncached = list[str]()
    draft = draft.then([*copies.edits, *_markers(draft, support, inputs, uncached)])
    places = _places(draft, inputs)
    users = rewrite_users(_stages(draft), lambda each, variable: places[id(each)].has(variable), inputs.shell_of_image)
    groups = [_other_group(each, inputs.name) for each in users.left]
    draft = draft.then(users.edits)
    ends = [each for each in _scopes(draft, inputs) if each.instruction.keyword in COPYING]
    return Adapted(
        draft,
        {**runs.files, **copies.files},
        labels,
        tuple(uncached),
        tuple(
            replace(run, given=run.given.union(*(users.given.get(each, ()) for each in run.given)))
            for run in runs.mounted
        ),
        aliases,
        trees.prepared if trees else {},
        (*copies.warnings, *groups),
        tuple(_copied(ends)),
        {each.instruction: name for each in ends if (name := name_without_group(each))},
        {each.instruction: each.destination for each in ends if each.instruction.flag("--from")},
        tuple(capable),
    )


def _rewrite_runs(draft: Draft, inputs: BuildInputs) -> RewrittenRuns:
    places = _places(draft, inputs)
    try:
        return rewrite_runs(
            _stages(draft),
            inputs.heredocs,
            inputs.files.content if inputs.files else None,
            inputs.shell_of_image,
            inputs.user_of_image,
            lambda instruction, word: places[id(instruction)].expanded(word),
        )
    except MountSourceError as error:
        advice = "Write the path of the directory or file that the RUN needs, with variables of the Dockerfile at most."
        raise refusal(Reason.DOCKERFILE_UNSUPPORTED, inputs.name, error.instruction, str(error), advice) from error


def _copied(copies: Iterable[Scope]) -> Iterator[CopiedSource]:
    for scope in copies:
        instruction = scope.instruction
        if instruction.flag("--from") is None:
            for word in words_of(instruction).sources:
                yield CopiedSource(instruction, scope.value(word))


def _adapt_config(draft: Draft, support: Support, inputs: BuildInputs) -> tuple[Draft, Mapping[str, str]]:
    """Arguments, and what only changes the image's configuration; returns the labels, too, which are left out."""
    stages = _stages(draft)
    try:
        config = rewrite_config(
            stages,
            inputs.values,
            inputs.arguments,
            inputs.environment,
            draft.escape,
            is_old=support.is_old,
        )
    except InvalidInstructionError as error:
        reason = Reason.DOCKERFILE_UNSUPPORTED if error.unsupported else Reason.DOCKERFILE_INVALID
        advice = "Remove it: ports can be published without EXPOSE." if error.unsupported else ""
        raise refusal(reason, inputs.name, error.place.instruction, str(error), advice) from error
    arguments = rewrite_arguments(stages, inputs.values, inputs.automatic, inputs.arguments)
    draft = draft.then([*arguments, *config.edits])
    if support.is_old:
        draft = draft.then(end_scopes(_stages(draft), inputs.values, inputs.arguments))
    if config.volumes:
        draft = draft.with_last(volume_text(config.volumes))
    return draft, config.labels


def _markers(draft: Draft, support: Support, inputs: BuildInputs, uncached: list[str]) -> Iterable[Edit]:
    """What adds the names of copied files to the cache keys of an executor that leaves them out."""
    if not inputs.files or not support.is_old:
        return ()
    stages = _stages(draft)
    markers = Markers(stages, inputs.files, inputs.arguments, inputs.digest_of, inputs.salt, uncached)
    return markers.edits(stages.stages)


def _stages(draft: Draft) -> Stages:
    return split_stages(draft.instructions)


def _places(draft: Draft, inputs: BuildInputs) -> Mapping[int, Place]:
    """How words are read at each instruction, by its identity; the base image is asked only where that counts."""
    places = walk(_stages(draft), inputs.values, inputs.arguments, inputs.environment, draft.escape)
    return {id(each.instruction): each for each in places}


def _scopes(draft: Draft, inputs: BuildInputs) -> Iterable[Scope]:
    return scopes(_stages(draft), _places(draft, inputs).values())


def _other_group(instruction: Instruction, name: str) -> str:
    return (
        f"{name} line {instruction.line}: with LD_PRELOAD, this executor may run RUN with another group than Docker "
        "gives the USER. Set LD_PRELOAD after this line."
    )
