"""Podman and docker: a command in a container, and the image for it."""
