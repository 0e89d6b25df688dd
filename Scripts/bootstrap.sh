#!/usr/bin/env bash
# Makes this machine ready to build: Debian packages, and libtorch under .deps/.
#
#   Scripts/bootstrap.sh            install what is missing; under a second when nothing is
#
#   LIBTORCH=/path/to/torch         use this libtorch (a torch wheel's folder or an unpacked libtorch archive)
#   CHATREX_TORCH=cpu|cuda          which libtorch to install; by default cuda where nvidia-smi finds a GPU, else cpu
#   PYTHON=python3.12               the Python that unpacks the torch wheel (no Python runs afterwards)
#
# Safe to run again at any time, also after it was killed: every step looks at what is really there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly torch_version=2.13.0
readonly oldest_torch=11 newest_torch=15  # 2.x
readonly debian_packages=(
    ca-certificates libncurses6  # fetching packages, and Swift's own driver
    pkg-config libvips-dev librsvg2-dev libsqlite3-dev g++ python3 python3-venv
    fonts-dejavu-core fonts-noto-color-emoji
    tuxpaint-stamps-default gnome-backgrounds plasma-workspace-wallpapers mate-backgrounds
)
readonly stamp=.deps/bootstrap.stamp

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() { printf 'bootstrap: error: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fail "root is needed for: $*
    Run it as root, or install sudo."
    fi
}

# --- System packages -------------------------------------------------------------------------------------------------

missing_debian_packages() {
    local installed
    installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${debian_packages[@]}" 2>/dev/null || true)"
    local package
    for package in "${debian_packages[@]}"; do
        case "$installed" in *" installed:$package "*) ;; *) echo "$package" ;; esac
    done
}

install_system_packages() {
    if ! command -v dpkg-query >/dev/null; then
        check_foreign_system
        return
    fi
    local missing
    mapfile -t missing < <(missing_debian_packages)
    [ ${#missing[@]} -eq 0 ] && return
    say "Debian packages to install: ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    # An installation that was killed leaves packages half configured, and apt refuses to go on before that is mended.
    if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
        as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
        as_root "${apt[@]}" -y --no-install-recommends -f install
    fi
    as_root "${apt[@]}" update
    as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" \
        || fail "apt-get could not install: ${missing[*]}"
    mapfile -t missing < <(missing_debian_packages)
    [ ${#missing[@]} -eq 0 ] || fail "still missing after the installation: ${missing[*]}"
}

# macOS and Linux without dpkg: nothing is installed, but what is missing is named.
check_foreign_system() {
    command -v pkg-config >/dev/null && pkg-config --exists vips librsvg-2.0 \
        || fail "libvips, librsvg and pkg-config are needed (macOS: brew install vips librsvg pkgconf)"
    command -v "${PYTHON:-python3}" >/dev/null || fail "Python 3.10 or newer is needed to unpack libtorch"
    say "note: sprites and backgrounds for training scenes come from Debian packages and are not here"
}

check_swift() {
    command -v swift >/dev/null || fail "Swift 6.1 or newer is needed: https://www.swift.org/install"
    local answer version major minor
    answer=$(swift --version 2>&1) || fail "swift does not run: $answer"
    version=$(sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' <<<"$answer")
    read -r major minor <<<"${version:-0 0}"
    [ "$major" -gt 6 ] || { [ "$major" = 6 ] && [ "$minor" -ge 1 ]; } \
        || fail "Swift 6.1 or newer is needed, this is: $answer"
}

# --- libtorch --------------------------------------------------------------------------------------------------------

# The version of the libtorch in a folder, from a wheel's version.py or an archive's build-version; empty if none.
torch_version_in() {
    if [ -f "$1/version.py" ]; then
        sed -n "s/^__version__ = '\([^']*\)'.*/\1/p" "$1/version.py"
    elif [ -f "$1/build-version" ]; then
        head -1 "$1/build-version"
    fi
}

# Fails with a reason unless the folder holds a whole libtorch of a version that this package builds with.
check_libtorch() {
    local version
    version=$(torch_version_in "$1")
    [ -n "$version" ] || { echo "$1 is no libtorch folder: it has neither version.py nor build-version"; return 1; }
    local file
    for file in include/ATen/ATen.h lib/libtorch_cpu.* lib/libc10.*; do
        [ -e "$1/$file" ] || compgen -G "$1/$file" >/dev/null || { echo "$1 lacks $file"; return 1; }
    done
    local minor=${version#2.}
    minor=${minor%%.*}
    if [ "${version%%.*}" != 2 ] || ! [ "$minor" -ge $oldest_torch ] 2>/dev/null || [ "$minor" -gt $newest_torch ]; then
        echo "$1 is libtorch $version; this package builds with 2.$oldest_torch to 2.$newest_torch"
        return 1
    fi
}

# pip writes INSTALLER after all files of a package: without it the installation was cut short.
venv_is_whole() {
    compgen -G ".deps/venv/lib/python3*/site-packages/torch-*.dist-info/INSTALLER" >/dev/null \
        && check_libtorch "$(echo .deps/venv/lib/python3*/site-packages/torch)" >/dev/null
}

wanted_torch() {
    if [ -n "${CHATREX_TORCH:-}" ]; then echo "$CHATREX_TORCH"
    elif command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then echo cuda
    else echo cpu
    fi
}

install_libtorch() {
    local python=${PYTHON:-python3} kind
    kind=$(wanted_torch)
    say "installing libtorch $torch_version ($kind) into .deps/venv"
    rm -rf .deps/venv .deps/libtorch  # what a killed run left; finished downloads stay in pip's cache
    "$python" -m venv .deps/venv || fail "$python cannot make a virtual environment"
    local pip=(.deps/venv/bin/python -m pip install --disable-pip-version-check --no-compile)
    case "$kind" in
        # Indexes that have CPU builds under their own name come first; elsewhere the plain name is the CPU build
        # (macOS, ARM) or brings CUDA along (x86-64 Linux), which works without a GPU but is large.
        cpu) "${pip[@]}" "torch==$torch_version+cpu" 2>/dev/null \
            || "${pip[@]}" "torch==$torch_version" --index-url https://download.pytorch.org/whl/cpu \
                --retries 0 --timeout 20 2>/dev/null \
            || "${pip[@]}" "torch==$torch_version" ;;
        cuda) "${pip[@]}" "torch==$torch_version" ;;
        *) fail "CHATREX_TORCH is \"$kind\"; it can be cpu or cuda" ;;
    esac || fail "pip could not install torch $torch_version; set LIBTORCH to a libtorch folder that you have"
    venv_is_whole || fail "torch was installed but is not usable: $(check_libtorch .deps/venv/lib/python3*/site-packages/torch)"
}

link_libtorch() {
    local target
    target=$(cd .deps && echo venv/lib/python3*/site-packages/torch)
    [ "$(readlink .deps/libtorch 2>/dev/null)" = "$target" ] || ln -sfn "$target" .deps/libtorch
}

# --- Main ------------------------------------------------------------------------------------------------------------

main() {
    mkdir -p .deps
    # Two runs at once (`make test` beside `make demo`) take turns.
    if command -v flock >/dev/null; then
        exec 9>.deps/bootstrap.lock
        flock -n 9 || { say "waiting for another bootstrap"; flock 9; }
    fi
    install_system_packages
    local libtorch=.deps/libtorch problem
    if [ -n "${LIBTORCH:-}" ]; then
        libtorch=$LIBTORCH
    else
        venv_is_whole || install_libtorch
        link_libtorch
    fi
    problem=$(check_libtorch "$libtorch") || fail "$problem"
    # What seldom changes and takes longer to ask is asked once for each version of this script and of libtorch.
    local state
    state="$(cksum <"${BASH_SOURCE[0]}") $libtorch $(torch_version_in "$libtorch")"
    if [ "$(cat $stamp 2>/dev/null)" != "$state" ]; then
        check_swift
        command -v pkg-config >/dev/null && pkg-config --exists vips librsvg-2.0 \
            || fail "pkg-config does not find libvips and librsvg"
        say "ready: libtorch $(torch_version_in "$libtorch"), libvips $(pkg-config --modversion vips)"
        printf '%s\n' "$state" >$stamp.new
        mv $stamp.new $stamp
    fi
}

main "$@"
