#!/bin/sh
# Builds sdist and wheel into dist/, then installs the sdist into an empty environment and runs its fast tests from
# its own folder: what a release lacks shows itself here. TESTS=tests/ground for a part.
set -eu
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH # else the tests would import the checkout's package, not the sdist's

"$python" -m pip install --quiet build
rm -rf "$root/dist"
"$python" -m build --outdir "$root/dist" "$root"
tar -xzf "$root"/dist/*.tar.gz -C "$work" --strip-components 1
"$python" -m venv "$work/.venv"
"$work/.venv/bin/python" -m pip install --quiet -c "$work/constraints/cpu.txt" "$work[test]"
cd "$work"
# The packages of MBXP, where doctor tells who has no clone to put them: the guide shows MBXP graded.
ASSAY_TEST_STORE=$work/store
export ASSAY_TEST_STORE
mkdir -p "$ASSAY_TEST_STORE/mbxp"
cp src/assay/mlperf/scoring/programs/node/package*.json "$ASSAY_TEST_STORE/mbxp"
npm ci --prefix "$ASSAY_TEST_STORE/mbxp" --silent --ignore-scripts --no-audit --no-fund || echo "no packages of MBXP: npm ci failed"
# shellcheck disable=SC2086
.venv/bin/python -m pytest -rs ${TESTS:-}
