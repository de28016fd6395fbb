"""The files of a home on disk: registered repositories, the index of their recipes, clones, the cache."""
