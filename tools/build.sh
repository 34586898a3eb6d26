#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Sets up the machine and builds burin: `tools/build.sh [PRESET]`, release by default.
# Leaves build/PRESET/bin/burin.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
"$root/tools/setup.sh"
cache=${BURIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/burin}
export PATH=$cache/venv/bin:/usr/lib/llvm-22/bin:$PATH
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_BASEDIR=$root
cd "$root"
cmake --preset "$preset" -DPython3_EXECUTABLE="$cache/venv/bin/python" > "$cache/configure.log" || { tail -n 30 "$cache/configure.log"; exit 1; }
cmake --build --preset "$preset"
