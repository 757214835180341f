"""The table of all variables: name, meaning, default, and the sub-commands that read it."""

from kaniko_shim.request.variables.attestation_variables import ATTEST_TABLE
from kaniko_shim.request.variables.base_image_variables import BASE_IMAGE_TABLE
from kaniko_shim.request.variables.build_variables import BUILD_TABLE
from kaniko_shim.request.variables.cache_variables import CACHE_TABLE
from kaniko_shim.request.variables.job_variables import JOB_TABLE
from kaniko_shim.request.variables.output_variables import OUTPUT_TABLE
from kaniko_shim.request.variables.registry_variables import REGISTRY_TABLE
from kaniko_shim.request.variables.scan_variables import SCAN_TABLE
from kaniko_shim.request.variables.source_variables import SOURCE_TABLE
from kaniko_shim.request.variables.upload_variables import UPLOAD_TABLE
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.request.variables.watch_variables import WATCH_TABLE

SECTIONS: tuple[tuple[str, tuple[Variable[object], ...]], ...] = (
    ("Build context", SOURCE_TABLE),
    ("Upload of the build context", UPLOAD_TABLE),
    ("Dockerfile and build", BUILD_TABLE),
    ("Output", OUTPUT_TABLE),
    ("Registries", REGISTRY_TABLE),
    ("Layer cache", CACHE_TABLE),
    ("Cache of base images", BASE_IMAGE_TABLE),
    ("Watching sources and base images", WATCH_TABLE),
    ("Scan for vulnerabilities", SCAN_TABLE),
    ("Attestations and signatures", ATTEST_TABLE),
    ("Log and result", JOB_TABLE),
)
"""All variables by subject, in the order of the documentation."""

TABLE: tuple[Variable[object], ...] = tuple(variable for _, variables in SECTIONS for variable in variables)
