"""The engine that runs BuildKit, in namespaces of its own and without privilege: it builds what Docker would."""
