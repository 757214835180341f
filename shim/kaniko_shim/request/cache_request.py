"""Reads how a build uses cached layers."""

from kaniko_shim.registry.cache_repo import CachePolicy, infer_cache_repo
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.variables import cache_variables
from kaniko_shim.request.variables.cache_variables import CacheMode
from kaniko_shim.request.variables.variable_reader import VariableReader


def read_cache(reader: VariableReader, outputs: tuple[ImageReference, ...]) -> CachePolicy | None:
    """Read CACHE and what belongs to it; None means no cache."""
    mode = reader.read(cache_variables.CACHE)
    repo = reader.read(cache_variables.CACHE_REPO)
    policy = CachePolicy(repo, reader.read(cache_variables.CACHE_TTL), reader.read(cache_variables.CACHE_READ_ONLY))
    if mode is CacheMode.OFF or (mode is CacheMode.AUTO and not repo):
        return None
    if repo:
        return policy
    if not outputs:
        reader.refuse(cache_variables.CACHE, "there is no OUTPUT_IMAGE to derive the repository from; set CACHE_REPO")
        return None
    return CachePolicy(infer_cache_repo(outputs[0]), policy.ttl_seconds, policy.read_only)
