"""ImageBuildDefaults, and how they complete a build. Pure."""
