#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to an answer: sets up the machine, builds the compiler, compiles
# digits.onnx into the sample program and runs that on an image: `run.sh [IMAGE...]`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- "$here/images/7.png"
"$root/tools/build.sh" release burin burin-run burin-opt digits
exec "$root/build/release/bin/digits" "$@"
