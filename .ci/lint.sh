#!/usr/bin/env bash
# lint.sh [ARG…] runs golangci-lint over the module in one pinned version; .golangci.yml has the rules.
# The linter is built into LOADOUT_CACHE the first time (2 minutes on two cores); no release download is needed.
#
# Exit: 0 clean; 1 findings, or the linter failed; 3 the linter cannot be had here (the reason is printed).
set -euo pipefail
VERSION=v2.15.0
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${LOADOUT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/loadout-ci}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# A linter refuses code for a newer Go than it was built with, so each Go version gets its own build.
bin=$cache/golangci-lint-$VERSION-$(go env GOVERSION)
if [ ! -x "$bin/golangci-lint" ]; then
  echo "building golangci-lint $VERSION into $bin (minutes)" >&2
  GOBIN=$bin go install -trimpath -ldflags '-s -w' "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$VERSION" ||
    { echo "golangci-lint $VERSION cannot be fetched or built here" >&2; exit 3; }
fi
export GOLANGCI_LINT_CACHE=$cache/golangci-lint-cache
"$bin/golangci-lint" run "$@" || exit 1 # its own exit codes mean other things than ours
