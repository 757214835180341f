"""What only executors up to kaniko 1.25 need: this is the door of the folder.

On the day that the executor that ships runs everywhere, delete the folder and all that asks `is_old`.
"""

from kaniko_shim.engines.kaniko.adapt.old.cache_names import Markers
from kaniko_shim.engines.kaniko.adapt.old.hard_links import warn_of_hard_links
from kaniko_shim.engines.kaniko.adapt.old.heredocs import heredoc_file
from kaniko_shim.engines.kaniko.adapt.old.modes import refuse_mode
from kaniko_shim.engines.kaniko.adapt.old.scopes import end_scopes, warnings_about_scopes
from kaniko_shim.engines.kaniko.adapt.old.workdirs import workdir_in_steps

__all__ = [
    "Markers",
    "end_scopes",
    "heredoc_file",
    "refuse_mode",
    "warn_of_hard_links",
    "warnings_about_scopes",
    "workdir_in_steps",
]
