#!/bin/sh
# What generated code needs to be graded: bubblewrap, and php, ruby, g++, node with TypeScript 5.4, lodash, mathjs.
# What LoadGen needs where it has no wheel for this Python and is built from its source: g++ and Python's headers.
# As root on Debian or Ubuntu the missing ones are installed; anywhere else they are named, with what that costs.
set -u
cd "$(dirname "$0")/.." || exit 1

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need bwrap bubblewrap
need php php-cli
need ruby ruby
need g++ g++
need node nodejs
need npm npm

headers_lacking() { # the package that has them
    "${PYTHON:-python3}" - <<'EOF'
import sys, sysconfig
from pathlib import Path

has_wheel = sys.version_info < (3, 14)
if not has_wheel and not Path(sysconfig.get_path("include"), "Python.h").is_file():
    print(f"python3.{sys.version_info.minor}-dev")
EOF
}

can_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; }

add() {
    [ $# != 0 ] && can_install || return
    echo "installing: $*"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1 ||
        echo "apt-get could not install: $*"
}
# shellcheck disable=SC2086
add $missing
# shellcheck disable=SC2046 # apart from the others: where Python is not the system's, apt-get may not know the package
add $(headers_lacking)

cost() {
    command -v "$1" >/dev/null 2>&1 || echo "missing: $2 - $3"
}
cost bwrap bubblewrap "no sandbox, so no generated program is run and MBXP is reported as ungraded"
cost php php-cli "MBXP programs in php are ungraded, and so is the MBXP total"
cost ruby ruby "MBXP programs in ruby are ungraded, and so is the MBXP total"
cost g++ g++ "MBXP programs in cpp are ungraded, and so is the MBXP total; the engine's kernels cannot be built"
cost node nodejs "MBXP programs in javascript and typescript are ungraded, and so is the MBXP total"
headers=$(headers_lacking)
[ -z "$headers" ] || echo "missing: $headers - LoadGen has no wheel for this Python and cannot be built: no job can run"

# The packages of MBXP, as locked in the package; doctor names the same two steps to who has the wheel alone.
locked=src/assay/mlperf/scoring/programs/node
if command -v npm >/dev/null 2>&1 && [ ! tools/mbxp/node_modules/.package-lock.json -nt "$locked/package-lock.json" ]; then
    { mkdir -p tools/mbxp && cp "$locked"/package*.json tools/mbxp &&
        npm ci --prefix tools/mbxp --silent --ignore-scripts --no-audit --no-fund; } >/dev/null 2>&1 ||
        echo "missing: TypeScript, lodash, mathjs (npm ci --prefix tools/mbxp failed) - MBXP in javascript and typescript is ungraded"
fi
exit 0
