#!/usr/bin/env bash
# e2e.sh vllm|ollama runs the main job against the real server: it installs the server into LOADOUT_CACHE, unless
# LOADOUT_E2E_VLLM or LOADOUT_E2E_OLLAMA names a binary, and runs the tests TestE2E… of cmd/loadout with it.
#
# Exit: 0 passed; 1 failed; 2 wrong use; 3 this machine cannot have the server (the reason is printed).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${LOADOUT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/loadout-ci}

case ${1:-} in
vllm) variable=LOADOUT_E2E_VLLM other=LOADOUT_E2E_OLLAMA ;;
ollama) variable=LOADOUT_E2E_OLLAMA other=LOADOUT_E2E_VLLM ;;
*) echo "usage: e2e.sh vllm|ollama" >&2; exit 2 ;;
esac

if [ -z "${!variable:-}" ]; then
  ".ci/install-$1.sh" "$cache/$1"
  export "$variable=$cache/$1/bin/$1"
fi
unset "$other" # only the server that was asked for

# A test that lacks its server is skipped, which go test calls a success: only a passed test of this server counts.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rc=0
go test ./cmd/loadout -run '^TestE2E' -count=1 -timeout 15m -v >"$log" 2>&1 || rc=1
cat "$log"
[ "$rc" = 0 ] || exit 1
grep -qiE -- "--- PASS: TestE2E.*$1" "$log" || { echo "e2e-$1: no test named TestE2E…$1 ran" >&2; exit 1; }
