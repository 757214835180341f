"""The ImageBuildDefaults of each namespace."""

from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults


class DefaultsByNamespace:
    """The defaults that are in force in each namespace."""

    def __init__(self) -> None:
        self._defaults: dict[str, NamespaceDefaults] = {}
        #: The namespaces whose defaults the API server refuses to list; an empty name stands for all.
        self.unreadable: frozenset[str] = frozenset()
        #: How many builds may run in each namespace whose defaults limit it.
        self.max_running: dict[str, int] = {}

    def get(self, namespace: str) -> NamespaceDefaults:
        """The defaults of a namespace."""
        return self._defaults.get(namespace, NO_DEFAULTS)

    def is_unreadable(self, namespace: str) -> bool:
        """Whether the API server refuses to list the defaults of a namespace."""
        return bool(self.unreadable & {"", namespace})

    def all(self) -> list[tuple[str, NamespaceDefaults]]:
        """Every namespace that has defaults, with them."""
        return list(self._defaults.items())

    def set(self, namespace: str, defaults: NamespaceDefaults) -> NamespaceDefaults:
        """Replace the defaults of a namespace, or remove them with `NO_DEFAULTS`; those before."""
        before = self.get(namespace)
        self._defaults[namespace] = defaults
        if defaults is NO_DEFAULTS:
            del self._defaults[namespace]
        self.max_running.pop(namespace, None)
        if defaults.max_running is not None:
            self.max_running[namespace] = defaults.max_running
        return before
