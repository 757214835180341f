"""What went wrong without failing the job: a part of the result, not only a line of the log."""

MOST = 5
LONGEST = 300
"""Characters of one warning."""


class Warnings:
    """Collects warnings: each once, on one line, and not more than a reader takes in."""

    def __init__(self) -> None:
        self._texts = dict[str, None]()

    def add(self, text: str) -> str:
        """Remember a warning (already masked).

        Returns:
            The warning as it stands in the result; empty if it is there already.
        """
        text = " ".join(text.split())
        if len(text) > LONGEST:
            text = text[: LONGEST - 1] + "…"
        if text in self._texts:
            return ""
        self._texts[text] = None
        return text

    @property
    def texts(self) -> tuple[str, ...]:
        """At most `MOST`; the last one says how many more there were."""
        texts = tuple(self._texts)
        if len(texts) <= MOST:
            return texts
        return (*texts[: MOST - 1], f"{len(texts) - MOST + 1} more warnings are in the log.")
