"""kopf's storages, without a content: the operator's handlers need no state on the objects.

By default, kopf copies each object several times for each event, to compare it with the copy in its annotations. That
is for handlers of creations and changes, of which the operator has none.
"""

from typing import Any, NoReturn

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Stands for the object as it was last handled."""

    def build(self, **_: Any) -> kopf.BodyEssence:  # noqa: ANN401 - kopf passes what it likes
        """Nothing of an object is compared."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:  # noqa: ANN401
        """Nothing was stored."""

    def store(self, **_: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: a handler needs what is not there."""
        raise NotImplementedError("This operator stores nothing on objects; use raw event handlers.")


class NoProgress(kopf.ProgressStorage):
    """Stands for the progress of handlers that are retried."""

    def fetch(self, **_: Any) -> None:  # noqa: ANN401
        """Nothing was stored."""

    def store(self, **_: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: a handler needs what is not there."""
        raise NotImplementedError("This operator stores nothing on objects; use raw event handlers.")

    def purge(self, **_: Any) -> None:  # noqa: ANN401
        """Nothing was stored."""

    def touch(self, **_: Any) -> None:  # noqa: ANN401
        """Nothing is retried by kopf."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Nothing was stored."""
        return essence
