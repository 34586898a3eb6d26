#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# coverage.sh WORK CC CXX FIXTURE.so OTHER.so: the lines and branches of the runtime, its loader and
# the wrapper that unit tests reach, as a table; OTHER.so is of another interface version. Fails below
# 90% of the branches of a file of the loader or the API. COVERAGE_VERB=show prints the sources with
# counts instead.
set -eu
work=$1 cc=$2 cxx=$3 fixture=$4 other=$5
root=$(cd "$(dirname "$0")/../.." && pwd)
tests=$root/test/runtime
tools=$(dirname "$("$cc" -print-prog-name=llvm-profdata)")
flags="-O1 -g -D_GNU_SOURCE -fprofile-instr-generate -fcoverage-mapping -pthread"
flags="$flags -I$root/runtime/include -I$root/runtime/src -I$root"
mkdir -p "$work/common" && rm -f "$work"/*.profraw
export LLVM_PROFILE_FILE="$work/%p.profraw"
# shellcheck disable=SC2086 # flags are words
(cd "$work/common" && "$cc" -std=c11 $flags -c "$root"/runtime/src/*.c "$tests/Fixture.c" "$tests/Request.c" \
  "$tests/StateFixture.c")
for test in Model Request Batch State Thread Cores Weights Answers; do
  # shellcheck disable=SC2086
  "$cc" -std=c11 $flags "$tests/${test}Test.c" "$work"/common/*.o -o "$work/$test"
  "$work/$test" >/dev/null
done
# shellcheck disable=SC2086
"$cc" -std=c11 $flags "$tests/LoadTest.c" -o "$work/Load" -ldl
"$work/Load" "$fixture" "$work/damaged.so" >/dev/null
# shellcheck disable=SC2086
"$cxx" -std=c++17 $flags "$tests/WrapperTest.cpp" "$work"/common/*.o -o "$work/Wrapper" -ldl
"$work/Wrapper" "$fixture" "$other" >/dev/null
"$tools/llvm-profdata" merge -o "$work/all.profdata" "$work"/*.profraw
"$tools/llvm-cov" "${COVERAGE_VERB:-report}" "$work/Model" -object "$work/Request" -object "$work/Batch" \
  -object "$work/State" -object "$work/Thread" -object "$work/Cores" -object "$work/Weights" \
  -object "$work/Answers" -object "$work/Load" -object "$work/Wrapper" \
  -instr-profile "$work/all.profdata" "$root/runtime" >"$work/table"
cat "$work/table"
[ "${COVERAGE_VERB:-report}" = report ] || exit 0
# The last column is of branches.
awk '$1 ~ /(model|context|state|batch|weights)\.c$|(load\.h|burin\.hpp)$/ {
    ++seen
    if ($NF + 0 < 90) { print $1 ": " $NF " of the branches of the loader and the API; 90% are due"; bad = 1 }
  }
  END { exit bad || seen != 7 }' "$work/table"
