"""The Dockerfile that the executor gets: the user's, checked, and adapted so that the image is as Docker builds it."""
