"""The informer cache: unfinished builds, their pods, and defaults, as the watches and lists have shown them."""
