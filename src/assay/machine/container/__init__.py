"""Podman and docker: builds an image, and runs a command in a container."""
