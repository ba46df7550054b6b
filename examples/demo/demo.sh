#!/usr/bin/env bash
# The main job, step by step, on this machine: no GPU, no network, no Python.
# usage: demo.sh [PATH-OF-LOADOUT]
#
# It works in a folder of its own, which it removes, with the stand-in for vLLM
# that is part of loadout (see rehearsal_override.hcl). Every command that it
# runs is printed; you can type the same.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binary=${1:-$(command -v loadout)}
PATH=$(cd "$(dirname "$binary")" && pwd):$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/loadout-demo.XXXXXX")
began=$(date +%s)

finish() {
  status=$?
  cd "$work" && loadout destroy --auto-approve >/dev/null 2>&1 || true
  rm -rf "$work"
  [ "$status" -eq 0 ] || echo "demo.sh: stopped with status $status" >&2
}
trap finish EXIT

step() { printf '\n\033[1m%s\033[0m\n' "— $1"; shift; [ $# -eq 0 ] || printf '%s\n' "$@"; }
[ -t 1 ] || step() { printf '\n%s\n' "— $1"; shift; [ $# -eq 0 ] || printf '%s\n' "$@"; }

# run prints a command, runs it and insists on its exit code.
run() {
  local want=$1 got=0
  shift
  printf '\n$ %s\n' "$*"
  "$@" || got=$?
  [ "$got" -eq "$want" ] || { echo "demo.sh: '$*' gave exit code $got, expected $want" >&2; exit 1; }
  [ "$want" -eq 0 ] || echo "(exit code $got, as it should)"
}

pid() { loadout show --json | tr ',{}' '\n' | sed -n 's/^ *"pid": *\([0-9]*\).*/\1/p' | head -n 1; }

cp "$here"/*.hcl "$work" && cp -r "$here/workspaces" "$work" && cd "$work"

step "A folder of models" "A tiny model in the Hugging Face layout; yours is already on your disk."
run 0 loadout sim weights weights/tiny-llama --words "the quick brown fox jumps over the lazy dog"

step "1. Discover: facts from the disk, never configuration"
run 0 loadout discover weights

step "2. Plan: what would change, and why" "Nothing runs yet, so the model will be started."
run 2 loadout plan --detailed-exitcode

step "3. Apply: exactly that, and only ready when it answers"
run 0 loadout apply --auto-approve

step "4. It serves" "Our process, our port, our model's name, one token generated: that was checked. Ask it:"
run 0 loadout probe tiny-llama --prompt "Hello"

step "5. Edit one argument" "max_model_len in models.hcl: 512 -> 768. The running server still has 512, and plan says so."
sed -i 's/max_model_len     = 512/max_model_len     = 768/' models.hcl
run 2 loadout plan --detailed-exitcode
run 0 loadout explain tiny-llama args.max_model_len --live

step "6. Apply the edit" "A restart: vLLM reads this only when it starts."
run 0 loadout apply --auto-approve
run 0 loadout explain tiny-llama args.max_model_len --live

step "7. Something goes wrong at 2 a.m." "We kill the server with SIGKILL, behind Loadout's back."
victim=$(pid)
run 0 kill -9 "$victim"
sleep 0.3
run 2 loadout drift

step "8. Apply heals it" "The engine that the dead server left behind is stopped first: it would hold the GPU."
run 0 loadout apply --auto-approve
run 0 loadout plan --detailed-exitcode

step "9. Destroy" "Every process of ours is gone afterwards."
victim=$(pid)
run 0 loadout destroy --auto-approve
if grep -qs '^State:[[:space:]]*[^Z[:space:]]' "/proc/$victim/status"; then # a zombie is no process
  echo "demo.sh: process $victim is still there" >&2
  exit 1
fi
echo "No process left."

step "Done in $(($(date +%s) - began)) s." "Next: README.md, \"With a GPU and a folder of models\"."
