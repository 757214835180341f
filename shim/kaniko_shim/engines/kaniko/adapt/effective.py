"""Makes the Dockerfile that the executor gets: reads the user's, checks it, adapts it and writes the result."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from imagebuild_dockerignore.find import IGNORE_FILE
from imagebuild_dockerignore.rules import IgnoreRules

from kaniko_shim.dockerfile import files
from kaniko_shim.dockerfile.files import write_files
from kaniko_shim.dockerfile.frontend import refuse_syntax
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.mount_secrets import unused_secrets
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.steps import Steps, plan_steps
from kaniko_shim.engines.kaniko.adapt.adapt import Adapted, BuildInputs, adapt
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.context.circles import refuse_circles
from kaniko_shim.engines.kaniko.adapt.context.credential_files import warn_of_credentials
from kaniko_shim.engines.kaniko.adapt.context.files import ContextFiles
from kaniko_shim.engines.kaniko.adapt.context.ignore import apply_ignore_file
from kaniko_shim.engines.kaniko.adapt.context.links import refuse_links_out
from kaniko_shim.engines.kaniko.adapt.context.prepare import make_aliases, make_trees
from kaniko_shim.engines.kaniko.adapt.context.tree import DirectoryTree
from kaniko_shim.engines.kaniko.adapt.draft import Draft, Written
from kaniko_shim.engines.kaniko.adapt.old import warn_of_hard_links
from kaniko_shim.engines.kaniko.adapt.run.mount_checks import refuse_mounts
from kaniko_shim.engines.kaniko.adapt.run.mounted import MountedRun
from kaniko_shim.engines.kaniko.adapt.stages.resolve import resolve_stages
from kaniko_shim.engines.kaniko.adapt.unsupported import (
    refuse_unsupported,
    warn_of_checks,
    warnings_about,
)
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.base_images import Bases
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.labels import Label
from kaniko_shim.system.paths import Paths


@dataclass(frozen=True, slots=True)
class EffectiveDockerfile:
    """The Dockerfile that the executor gets, and what goes with it.

    Attributes:
        path: the Dockerfile.
        request: the request, with the target and the build arguments that go with it.
        instructions: as the executor names them, at the lines of the user's file.
        warnings: what differs from Docker.
        steps: those that will be built.
        checksum: SHA-256 of the user's Dockerfile, in hexadecimal.
        ignores: the rules of `.dockerignore`, which have been applied.
        mounted: the RUNs with mounts.
        images: the images that FROM and --from name.
        named_owners: the user that a COPY or ADD gives its files to, where `--chown` names no group.
        destinations: the absolute destination of each COPY --from; empty where it is not known.
        capable: the absolute destinations to which ADD unpacks programs with capabilities.
    """

    path: Path
    request: BuildRequest = field(repr=False)
    instructions: tuple[Instruction, ...]
    warnings: tuple[str, ...]
    steps: Steps
    checksum: str
    _own: Mapping[int, str] = field(repr=False)
    _written: Written = field(repr=False)
    ignores: IgnoreRules = field(default=IgnoreRules(), repr=False)
    mounted: tuple[MountedRun, ...] = ()
    images: tuple[str, ...] = ()
    named_owners: Mapping[Instruction, str] = field(default_factory=dict)
    destinations: Mapping[Instruction, str] = field(default_factory=dict)
    capable: tuple[str, ...] = ()

    def own(self, instruction: str, line: int) -> str:
        """An instruction that the executor logged, as the user wrote it."""
        return self._own.get(line, instruction)

    def translate(self, error: str) -> str:
        """An error of the executor, with the line numbers of the user's Dockerfile."""
        return self._written.translate(error)


def make_effective(
    request: BuildRequest, context: Path, support: Support, paths: Paths, bases: Bases
) -> EffectiveDockerfile:
    """Make the executor's Dockerfile. `bases` looks up images.

    Raises:
        JobError: there is no Dockerfile, or the executor would misread it.
    """
    if request.dockerfile_content:
        name = "DOCKERFILE_CONTENT"
        path = paths.inline_dockerfile
        path.write_text(request.dockerfile_content, encoding="utf-8")
    else:
        name = request.dockerfile_path
        path = files.locate(paths.context, context, name)
    content = files.read(path, name)
    checksum = sha256(path.read_bytes()).hexdigest()
    draft = Draft.of(content)
    instructions = draft.instructions
    if all(instruction.keyword != "FROM" for instruction in instructions):
        # The executor crashes on a file that only has ARGs.
        raise JobError(Reason.DOCKERFILE_INVALID, f"{name} has no FROM.", hint="Begin it with FROM and a base image.")
    for instruction in instructions:
        for heredoc in instruction.heredocs:
            if not heredoc.closed:
                problem = f"the heredoc {heredoc.word} is not closed"
                advice = f"Add a line that contains only {heredoc.word}."
                raise refusal(Reason.DOCKERFILE_INVALID, name, instruction, problem, advice)
    # The Dockerfile has been read: it may be ignored itself.
    ignores = apply_ignore_file(paths.context, context, "" if request.dockerfile_content else name)
    arguments = {each.name: each.value for each in (*request.build_args, *request.secret_build_args)}
    refuse_syntax(content, name)
    resolved = resolve_stages(draft, request.target, arguments, support, bases.for_platform, name, bases.platform)
    concerned = resolved.instructions
    refuse_unsupported(concerned, support, name, resolved.draft.escape)
    secrets = {secret.id for secret in request.build_secrets}
    refuse_mounts(concerned, secrets, name)
    tree = DirectoryTree(context)
    inputs = BuildInputs(
        str(context),
        ContextFiles(context) if request.cache else None,
        str(paths.heredocs),
        arguments,
        resolved.values,
        resolved.automatic,
        lambda image: bases.environment(image, support.platform),
        name,
        digest_of=bases.digest,
        salt=os.urandom(16).hex(),
        shell_of_image=lambda image: bases.shell(image, support.platform),
        user_of_image=lambda image: bases.user(image, support.platform),
        tree=tree,
        aliases=str(paths.context_aliases),
        prepared=str(paths.prepared),
    )
    adapted = adapt(resolved.draft, support, inputs)
    refuse_circles(concerned, context, name)
    about_files = (
        *warn_of_credentials(concerned, context, tree, name),
        *(warn_of_hard_links(concerned, context) if support.is_old else ()),
    )
    own = {instruction.line: instruction.text for instruction in instructions}
    refuse_links_out(
        (
            replace(each, instruction=replace(each.instruction, text=own.get(each.instruction.line, "")))
            for each in adapted.copied
        ),
        context,
        name,
    )
    written = adapted.draft.written()
    return EffectiveDockerfile(
        _write(adapted, written, context, paths),
        replace(request, target=resolved.target, labels=_labels(request, adapted)),
        adapted.draft.instructions,
        (
            *resolved.warnings,
            *warn_of_checks(content, name),
            *warnings_about(concerned, support, name),
            *unused_secrets(concerned, secrets),
            *adapted.warnings,
            *about_files,
            *map(_uncached, adapted.uncached),
        ),
        plan_steps(resolved.own, adapted.draft.instructions),
        checksum,
        own,
        written,
        ignores,
        adapted.mounted,
        resolved.images,
        adapted.named_owners,
        adapted.destinations,
        adapted.capable,
    )


def _labels(request: BuildRequest, adapted: Adapted) -> tuple[Label, ...]:
    """Those of the Dockerfile and those of LABELS, which win."""
    given = {label.name for label in request.labels}
    own = (Label(name, value) for name, value in adapted.labels.items() if name not in given)
    return (*own, *request.labels)


def _uncached(what: str) -> str:
    return (
        f"The cache cannot tell whether {what} has changed, so no later layer comes from the cache. "
        "Name images by digest; put files into the context."
    )


def _write(adapted: Adapted, written: Written, context: Path, paths: Paths) -> Path:
    path = paths.inline_dockerfile
    path.write_bytes(written.content)
    write_files(adapted.heredocs, paths.heredocs)
    make_aliases(adapted.aliases)
    make_trees(adapted.prepared, context, paths.prepared)
    # Looked for before the context's own, which has been applied: nothing of the context is to be ignored.
    Path(f"{path}{IGNORE_FILE}").write_text("".join(f"{line}\n" for line in adapted.aliases.patterns()))
    return path
