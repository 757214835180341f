"""The executor's feature flags, environment variables by which its newer ways of working are turned on."""

from collections.abc import Mapping

TABLE: Mapping[str, str] = {
    # The same image as Docker's.
    "FF_KANIKO_COPY_AS_ROOT": "COPY and ADD after USER give files to root.",
    "FF_KANIKO_CHOWN_ON_IMPLICIT_DIRS": (
        "The parents that WORKDIR creates belong to the current user, as the directory itself does."
    ),
    "FF_KANIKO_COPY_CHMOD_ON_IMPLICIT_DIRS": "`COPY --chmod` counts for the parents that it creates too.",
    "FF_KANIKO_EXPAND_HEREDOC": (
        "Variables in the heredocs of COPY and ADD are expanded unless the delimiter is quoted."
    ),
    "FF_KANIKO_RUN_HONOR_GROUP": "RUN has the group of `USER user:group`.",
    "FF_KANIKO_UNTAR_SKIP_ROOT": "ADD of an archive leaves mode and owner of an existing target directory alone.",
    "FF_KANIKO_REPRODUCIBLE_PRESERVE_BASE_LAYERS": "`--reproducible` keeps the layers of the base image as they are.",
    # The right layer from the cache.
    "FF_KANIKO_SKIP_WRITE_WHITEOUTS": (
        "Files that a cached layer deletes leave no marker that `COPY --from` takes for a file."
    ),
    "FF_KANIKO_RESOLVE_CACHE_KEY": "Variables in COPY, ADD and WORKDIR are part of the keys of their layers.",
    "FF_KANIKO_ROLLING_CACHE_KEY": "Different instructions never share a key.",
    "FF_KANIKO_HASH_DIR_FRAMING": "Different directories never share a key.",
    # Not FF_KANIKO_SCOPED_DOCKERIGNORE: copy/trees/aliases.py excludes directories by paths next to the context.
    # Speed.
    "FF_KANIKO_INFER_CROSS_STAGE_CACHE_KEY": (
        "The key of `COPY --from` follows from the stage's key, without its files."
    ),
    "FF_KANIKO_CACHE_LOOKAHEAD": "All keys are known before the first stage is built.",
    "FF_KANIKO_SKIP_CACHED_STAGES": "Stages that only cached layers depend on are neither built nor unpacked.",
    "FF_KANIKO_SHARED_BASE_CACHE": "A base image of several stages is downloaded once.",
    "FF_KANIKO_CROSS_REPO_MOUNT": "Layers that the registry has in another repository are not uploaded again.",
    "FF_KANIKO_SKIP_RELABEL_RECOMPRESS": "Cached layers are not compressed again for another media type.",
    "FF_KANIKO_PRECOMPILE_DOCKERIGNORE": "The patterns that COPY leaves out are compiled once, not for each file.",
}
"""What each does, by the variable's name; the shim sets it to `true`, unless the container's environment sets it."""
