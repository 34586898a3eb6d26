#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The reference of ops, attributes, types and passes, made from the .td files:
#   tools/reference.sh            writes docs/reference
#   tools/reference.sh --check    fails where docs/reference is not what would be written
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
llvm=${LLVM_PREFIX:-/usr/lib/llvm-22}
out=$root/docs/reference
[ "${1:-}" = --check ] && out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
mkdir -p "$out"

tblgen() { # generator, file, result
  "$llvm/bin/mlir-tblgen" "$1" -I "$llvm/include" -I "$root" -I "$root/dialects/onnx" "${@:4}" "$root/$2" |
    sed -e 's/[[:space:]]*$//' -e '/^\[TOC\]$/d' | cat -s > "$out/$3"
}
tblgen -gen-dialect-doc dialects/onnx/OnnxOps.td onnx.md -dialect=onnx
tblgen -gen-dialect-doc dialects/kern/KernOps.td kern.md -dialect=kern
tblgen -gen-dialect-doc dialects/plan/PlanOps.td plan.md -dialect=plan
tblgen -gen-pass-doc compiler/transforms/Passes.td passes.md

if [ "${1:-}" = --check ] && ! diff -ru "$root/docs/reference" "$out"; then
  echo "docs/reference is behind the .td files: run tools/reference.sh, or ninja reference-update"
  exit 1
fi
