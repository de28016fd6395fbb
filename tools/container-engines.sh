#!/bin/sh
# Podman and Docker, for the tests of containers. As root on Debian or Ubuntu the missing ones are installed; anywhere
# else they are named. Neither needs a base image or a registry: the image that the tests run in is built from nothing.
# Podman needs no daemon, and the tests start a Docker daemon of their own where none answers.
set -u
export DEBIAN_FRONTEND=noninteractive

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; }

need() { # COMMAND PACKAGES
    command -v "$1" >/dev/null 2>&1 && return
    if can_install; then
        echo "installing: $2"
        # shellcheck disable=SC2086
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $2; } >/dev/null 2>&1
    fi
    command -v "$1" >/dev/null 2>&1 || echo "missing: $1 - its tests of containers are skipped, and say so"
}
need podman "podman buildah runc uidmap netavark aardvark-dns iptables fuse-overlayfs"
need dockerd docker.io
need docker docker-cli
exit 0
