"""Objects of other build systems, written as ImageBuilds and TrackedImages. Values in, values out."""
