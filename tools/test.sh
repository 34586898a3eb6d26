#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds and runs the tests: `tools/test.sh [PRESET [CTEST OPTION...]]`, release by default.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:-release}
shift || true
"$root/tools/build.sh" "$preset"
source "$root/tools/env.sh"
cd "$root"
exec ctest --preset "$preset" "$@"
