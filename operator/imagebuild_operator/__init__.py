"""The ImageBuild operator: watches ImageBuild resources and runs their build pods."""
