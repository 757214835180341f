"""Warnings: what went wrong without failing the job. They are part of the result, not only lines of the log."""

MOST = 5
"""Warnings in the result."""

MOST_KEPT = 200
"""Warnings that are kept; further ones are only counted, since the output of a RUN can cause any number."""

LONGEST = 300
"""Characters of one warning."""


class Warnings:
    """Collects warnings, each once and on one line."""

    def __init__(self) -> None:
        self._texts = dict[str, None]()
        self._further = 0

    def add(self, text: str) -> str:
        """Add a warning, already masked.

        Returns:
            The warning as it is in the result; empty if it was added before, or if there are too many.
        """
        text = " ".join(text.split())
        if len(text) > LONGEST:
            text = text[: LONGEST - 1] + "…"
        if text in self._texts:
            return ""
        if len(self._texts) == MOST_KEPT:
            self._further += 1
            return ""
        self._texts[text] = None
        return text

    @property
    def texts(self) -> tuple[str, ...]:
        """At most `MOST`; the last one says how many more there were."""
        texts = tuple(self._texts)
        if len(texts) <= MOST:
            return texts
        return (*texts[: MOST - 1], f"{len(texts) + self._further - MOST + 1} more warnings; see the log.")
