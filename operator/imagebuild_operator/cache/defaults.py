"""The ImageBuildDefaults of each namespace and the ClusterImageBuildDefaults, and what is in force."""

from imagebuild_operator.defaults.namespace import NO_DEFAULTS, NamespaceDefaults, namespace_defaults
from imagebuild_operator.defaults.objects import DefaultsObject

#: Stands for the cluster, where a namespace is expected.
CLUSTER = ""


class DefaultsCache:
    """The objects that set defaults, and the defaults that are in force in each namespace."""

    def __init__(self) -> None:
        self._objects: dict[str, DefaultsObject] = {}
        self._in_force: dict[str, NamespaceDefaults] = {}
        #: The namespaces whose defaults the API server refuses to list; an empty name stands for all.
        self.unreadable: frozenset[str] = frozenset()
        #: How many builds may run in each namespace whose defaults limit it; under the empty name, in all the others.
        self.max_running: dict[str, int] = {}

    def get(self, namespace: str) -> NamespaceDefaults:
        """The defaults in force in a namespace."""
        return self._in_force.get(namespace) or self._in_force.get(CLUSTER, NO_DEFAULTS)

    def is_unreadable(self, namespace: str) -> bool:
        """Whether the API server refuses to list the defaults of a namespace, or those of the cluster."""
        return bool(self.unreadable & {CLUSTER, namespace})

    def object(self, namespace: str) -> DefaultsObject | None:
        """The object of a namespace, or of the cluster if it is empty."""
        return self._objects.get(namespace)

    def objects(self) -> list[DefaultsObject]:
        """Every object."""
        return list(self._objects.values())

    def namespaces(self) -> list[str]:
        """The namespaces that have defaults of their own."""
        return [namespace for namespace in self._objects if namespace != CLUSTER]

    def set(self, namespace: str, defaults: DefaultsObject | None) -> None:
        """Replace the object of a namespace, or of the cluster if it is empty; None removes it."""
        self._objects.pop(namespace, None)
        if defaults is not None:
            self._objects[namespace] = defaults
        for affected in {namespace, *(self._objects if namespace == CLUSTER else ())}:
            self._combine(affected)

    def _combine(self, namespace: str) -> None:
        own = self._objects.get(namespace) if namespace != CLUSTER else None
        combined = namespace_defaults(own, self._objects.get(CLUSTER))
        self._in_force.pop(namespace, None)
        self.max_running.pop(namespace, None)
        if namespace in self._objects:
            self._in_force[namespace] = combined
            if combined.max_running is not None:
                self.max_running[namespace] = combined.max_running
