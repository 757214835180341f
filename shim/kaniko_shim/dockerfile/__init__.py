"""The language of a Dockerfile: parsing it, finding things in it, and naming what is wrong with it."""
