#!/usr/bin/env bash
# install-ollama.sh DIR builds a real Ollama server, with its CPU runner inside, into DIR/bin/ollama.
#
# Installed already: returns at once. Last line on success: "ollama ready: DIR/bin/ollama VERSION".
# Exit: 0 ready; 1 the build failed; 2 wrong use; 3 this machine cannot have it (the reason is printed).
# Needs Go, gcc and g++; about 4 minutes on two cores, 1.5 GB of Go caches.
#
# 0.24.0 is the last version whose runner is part of the Go module; later ones want llama.cpp built beside them.
# Its module lacks three header-only libraries, because a module never carries folders named vendor. Older or other
# modules do carry these headers outside of such a folder, so nothing but checked Go modules is needed.
set -euo pipefail
VERSION=0.24.0
HEADERS_JSON_STB=github.com/ollama/ollama@v0.11.4 # llama/llama.cpp/common: json.hpp, stb_image.h
HEADERS_AUDIO=github.com/gen2brain/malgo@v0.11.24 # miniaudio.h

[ $# -eq 1 ] && [ -n "$1" ] || { echo "usage: install-ollama.sh DIR" >&2; exit 2; }
mkdir -p "$1/bin"
DIR=$(cd "$1" && pwd)
LOG=$DIR/install.log

works() { [ -x "$DIR/bin/ollama" ] && "$DIR/bin/ollama" --version 2>&1 | grep -qF "$VERSION"; }
ready() { echo "ollama ready: $DIR/bin/ollama $VERSION"; exit 0; }
cannot() { echo "ollama cannot be built here: $*" >&2; exit 3; }
failed() { tail -n 5 "$LOG" >&2; echo "ollama failed: $* (all output: $LOG)" >&2; exit 1; }

works && ready
for tool in go gcc g++; do
  command -v "$tool" >/dev/null || cannot "it needs $tool (Debian: apt install g++, and Go)"
done

: >"$LOG"
cd "$DIR" # outside of any module, so that no go.mod is read or changed
fetch() { # prints the folder of a module
  go mod download -json "$1" 2>>"$LOG" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p' | grep . ||
    cannot "the Go module $1 cannot be fetched (all output: $LOG)"
}
common=$(fetch "$HEADERS_JSON_STB")/llama/llama.cpp/common
audio=$(fetch "$HEADERS_AUDIO")
fetch "github.com/ollama/ollama@v$VERSION" >/dev/null

include=$DIR/include
install -D -m 644 "$common/json.hpp" "$include/nlohmann/json.hpp"
install -D -m 644 "$common/stb_image.h" "$include/stb/stb_image.h"
install -D -m 644 "$audio/miniaudio.h" "$include/miniaudio/miniaudio.h"
printf '#pragma once\n#include "json.hpp"\n' >"$include/nlohmann/json_fwd.hpp"

# -O0 halves the build and is fast enough for the tiny models of the tests.
echo "building ollama $VERSION into $DIR (minutes)" >&2
CGO_ENABLED=1 CGO_CPPFLAGS="-I$include" CGO_CFLAGS="-O0 -g0" CGO_CXXFLAGS="-O0 -g0" GOBIN="$DIR/bin" \
  go install -ldflags "-s -w -X github.com/ollama/ollama/version.Version=$VERSION" \
  "github.com/ollama/ollama@v$VERSION" >>"$LOG" 2>&1 || failed "the build"
works || failed "the binary does not say $VERSION"
ready
