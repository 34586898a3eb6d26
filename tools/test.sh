#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Sets up, builds and runs the tests: `tools/test.sh [PRESET]`. CTest runs the runtime's for
# now; the compiler's are the targets check-lit and check-conformance.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
"$root/tools/build.sh" "$preset"
cache=${BURIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/burin}
export PATH=$cache/venv/bin:/usr/lib/llvm-22/bin:$PATH
exec ctest --test-dir "$root/build/$preset" -L runtime --output-on-failure
