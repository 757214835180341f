"""The executor's feature flags, environment variables by which its newer ways of working are turned on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kaniko_shim.engines.kaniko.executor.abilities import Abilities, Version


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """A variable that the shim sets to `true`.

    Attributes:
        since: the first version of the maintained line (osscontainertools/kaniko) in which it does what is wanted.
        reason: what it does, for the documentation.
    """

    since: Version
    reason: str


TABLE: Mapping[str, FeatureFlag] = {
    # The same image as Docker's.
    "FF_KANIKO_COPY_AS_ROOT": FeatureFlag((1, 25, 2), "COPY and ADD after USER give files to root."),
    "FF_KANIKO_CHOWN_ON_IMPLICIT_DIRS": FeatureFlag(
        (1, 28, 2), "The parents that WORKDIR creates belong to the current user, as the directory itself does."
    ),
    "FF_KANIKO_COPY_CHMOD_ON_IMPLICIT_DIRS": FeatureFlag(
        (1, 28, 1), "`COPY --chmod` counts for the parents that it creates too."
    ),
    "FF_KANIKO_EXPAND_HEREDOC": FeatureFlag(
        (1, 28, 1), "Variables in the heredocs of COPY and ADD are expanded unless the delimiter is quoted."
    ),
    "FF_KANIKO_RUN_HONOR_GROUP": FeatureFlag((1, 28, 1), "RUN has the group of `USER user:group`."),
    "FF_KANIKO_UNTAR_SKIP_ROOT": FeatureFlag(
        (1, 28, 0), "ADD of an archive leaves mode and owner of an existing target directory alone."
    ),
    "FF_KANIKO_REPRODUCIBLE_PRESERVE_BASE_LAYERS": FeatureFlag(
        (1, 27, 6), "`--reproducible` keeps the layers of the base image as they are."
    ),
    # The right layer from the cache.
    "FF_KANIKO_SKIP_WRITE_WHITEOUTS": FeatureFlag(
        (1, 28, 0), "Files that a cached layer deletes leave no marker that `COPY --from` takes for a file."
    ),
    "FF_KANIKO_RESOLVE_CACHE_KEY": FeatureFlag(
        (1, 28, 0), "Variables in COPY, ADD and WORKDIR are part of the keys of their layers."
    ),
    "FF_KANIKO_ROLLING_CACHE_KEY": FeatureFlag((1, 28, 1), "Different instructions never share a key."),
    "FF_KANIKO_HASH_DIR_FRAMING": FeatureFlag((1, 28, 1), "Different directories never share a key."),
    # Not FF_KANIKO_SCOPED_DOCKERIGNORE: copy/trees/aliases.py excludes directories by paths next to the context.
    # Speed.
    "FF_KANIKO_INFER_CROSS_STAGE_CACHE_KEY": FeatureFlag(
        (1, 28, 2), "The key of `COPY --from` follows from the stage's key, without its files."
    ),
    "FF_KANIKO_CACHE_LOOKAHEAD": FeatureFlag((1, 28, 2), "All keys are known before the first stage is built."),
    "FF_KANIKO_SKIP_CACHED_STAGES": FeatureFlag(
        (1, 28, 2), "Stages that only cached layers depend on are neither built nor unpacked."
    ),
    "FF_KANIKO_SHARED_BASE_CACHE": FeatureFlag((1, 28, 2), "A base image of several stages is downloaded once."),
    "FF_KANIKO_CROSS_REPO_MOUNT": FeatureFlag(
        (1, 28, 3), "Layers that the registry has in another repository are not uploaded again."
    ),
    "FF_KANIKO_SKIP_RELABEL_RECOMPRESS": FeatureFlag(
        (1, 28, 0), "Cached layers are not compressed again for another media type."
    ),
    "FF_KANIKO_PRECOMPILE_DOCKERIGNORE": FeatureFlag(
        (1, 28, 1), "The patterns that COPY leaves out are compiled once, not for each file."
    ),
}
"""By the variable's name. One that the container's environment sets is left as it is."""

_COPY_LAYERS_SINCE = (1, 28, 2)
"""From when whole stages are skipped whose layers are all cached, if those of COPY are cached too."""


def feature_flags(abilities: Abilities) -> Iterator[tuple[str, str]]:
    """The variables for an executor."""
    for name, flag in TABLE.items():
        if abilities.since(flag.since):
            yield name, "true"


def caches_copies(abilities: Abilities) -> bool:
    """Whether caching the layers of COPY makes an unchanged build faster; before, it only cost uploads."""
    return abilities.since(_COPY_LAYERS_SINCE)
