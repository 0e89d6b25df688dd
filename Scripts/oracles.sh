#!/usr/bin/env bash
# Installs the Python packages whose results ours are compared with, into .deps/oracles. Nothing but the scripts under
# Scripts/oracles/ uses them: the tests compare with numbers stored beside them.
#
#   Scripts/oracles.sh                      pycocotools and lvis
#   Scripts/oracles.sh transformers ...     further packages
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly python=.deps/oracles/bin/python
packages=("numpy<2.3" pycocotools==2.0.11 lvis==0.5.3 "$@")

if ! $python -m pip --version >/dev/null 2>&1; then
    echo "oracles: making .deps/oracles" >&2
    rm -rf .deps/oracles
    "${PYTHON:-python3}" -m venv .deps/oracles
fi
$python -m pip install --disable-pip-version-check "${packages[@]}"
echo "oracles: ready, run the scripts with $python" >&2
