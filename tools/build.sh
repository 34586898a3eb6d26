#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Sets up the machine and builds: `tools/build.sh [PRESET [TARGET...]]`, release and
# everything by default. Leaves build/PRESET/bin/burin.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
shift || true
"$root/tools/setup.sh"
source "$root/tools/env.sh"
cd "$root"
log=build/$preset/configure.log
mkdir -p "build/$preset"
if [ ! -f "build/$preset/build.ninja" ]; then
  echo "configure: build/$preset"
  cmake --preset "$preset" > "$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
fi
cmake --build "build/$preset" ${1:+--target "$@"}
