#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The environment of a build: `tools/env.sh cmake ...` runs one command in it,
# `source tools/env.sh` keeps it. Puts cmake, ctest and Python with the test packages first
# on PATH, from where tools/setup.sh keeps them.
export PATH="${BURIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/burin}/venv/bin:$PATH"
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  exec "$@"
fi
