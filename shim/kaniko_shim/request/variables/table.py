"""THE table of variables: what each is called, means, defaults to and is read by."""

from kaniko_shim.request.variable import Variable
from kaniko_shim.request.variables.attestation_variables import ATTEST_TABLE
from kaniko_shim.request.variables.build_variables import BUILD_TABLE
from kaniko_shim.request.variables.cache_variables import CACHE_TABLE
from kaniko_shim.request.variables.job_variables import JOB_TABLE
from kaniko_shim.request.variables.output_variables import OUTPUT_TABLE
from kaniko_shim.request.variables.registry_variables import REGISTRY_TABLE
from kaniko_shim.request.variables.source_variables import SOURCE_TABLE

TABLE: tuple[Variable[object], ...] = (
    *SOURCE_TABLE,
    *BUILD_TABLE,
    *OUTPUT_TABLE,
    *REGISTRY_TABLE,
    *CACHE_TABLE,
    *ATTEST_TABLE,
    *JOB_TABLE,
)
