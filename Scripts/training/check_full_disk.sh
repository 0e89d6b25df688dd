#!/usr/bin/env bash
# Trains on a disk that fills up: the run must end with a clear error, the checkpoint before must be whole, and the run must go on from
# it once there is room. The disk is a small tmpfs where the user may mount one, otherwise a limit on the size of files.
#
#   Scripts/training/check_full_disk.sh .build/release/chatrex [MiB]
set -euo pipefail

readonly chatrex=$(realpath "${1:?the built chatrex}") size=${2:-180}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ -z ${INSIDE:-} ]] && unshare --user --map-root-user --mount true 2>/dev/null; then
    INSIDE=1 exec unshare --user --map-root-user --mount "$0" "$chatrex" "$size"
fi

work=$(mktemp -d)
readonly work
trap 'umount "$work/disk" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/disk"
kind="a limit on files"
if mount -t tmpfs -o size="${size}m" tmpfs "$work/disk" 2>/dev/null; then kind="a disk of $size MiB"; fi

# A small network; checkpoints after every step, of which all are kept until the disk is full.
cat > "$work/recipe.yaml" <<YAML
batchSize: 1
evaluationScenes: 0
sceneSide: 96
phases: [{end: 1.0, sides: [96]}]
options: {steps: 40, checkpointMinutes: 1.0e-6, keptCheckpoints: 40, averageDecay: 0, logSteps: 1}
YAML
train() { "$chatrex" train upn "$work/recipe.yaml" --out "$work/disk/run" --threads 1; }

set +e
if [[ $kind == "a limit on files" ]]; then
    # A first step with room, then none for a file of weights.
    sed -i 's/steps: 40/steps: 1/' "$work/recipe.yaml" && train >/dev/null 2>&1
    sed -i 's/steps: 1/steps: 40/' "$work/recipe.yaml"
    (trap '' XFSZ; ulimit -f 4096; train) >"$work/out" 2>&1
else
    train >"$work/out" 2>&1
fi
status=$?
set -e
tail -n 3 "$work/out"
[[ $status -ne 0 && $status -lt 128 ]] || { echo "FAILED: exit status $status"; exit 1; }
grep -qi "cannot be written" "$work/out" || { echo "FAILED: the error does not say what could not be written"; exit 1; }
[[ ! -e $(echo "$work"/disk/run/.partial-*) ]] || { echo "FAILED: half a checkpoint is left"; exit 1; }
last=$(ls -d "$work"/disk/run/step-* | sed 's/.*step-//' | sort -n | tail -1)

# Room again: older checkpoints go, the last one is used.
for step in "$work"/disk/run/step-*; do [[ $step == *"step-$last" ]] || rm -r "$step"; done
sed -i "s/steps: 40/steps: $((last + 2))/; s/keptCheckpoints: 40/keptCheckpoints: 1/" "$work/recipe.yaml"
train >"$work/out" 2>&1 || { cat "$work/out"; echo "FAILED: the run does not go on"; exit 1; }
grep -q "\"event\":\"start\",\"step\":$last" "$work/disk/run/log.jsonl" || { echo "FAILED: not resumed at $last"; exit 1; }
[[ -e $work/disk/run/step-$((last + 2))/state.json ]] || { echo "FAILED: the end was not reached"; exit 1; }
echo "passed on $kind: the run stopped with exit status $status, kept step $last and went on from it"
