#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The reference of ops, attributes, types and passes, made from the .td files, and of the C API,
# made from its headers:
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
# An operator's summary is the comment above its row.
awk '
  FILENAME ~ /\.td$/ && /^\/\/ / { comment = substr($0, 4); next }
  FILENAME ~ /\.td$/ && /^def Onnx_[A-Za-z0-9]+Op / {
    name = $2; sub(/^Onnx_/, "", name); sub(/Op$/, "", name); summary["onnx." name] = comment
  }
  FILENAME ~ /\.td$/ { comment = ""; next }
  { print }
  /^### `onnx\./ {
    name = $2; gsub(/`/, "", name)
    if (summary[name]) print "\n_" summary[name] "_"
    else if (name != "onnx.None" && name != "onnx.Yield") { print name " has no comment above its row" > "/dev/stderr"; failed = 1 }
  }
  END { exit failed }
' "$root"/dialects/onnx/families/*.td "$out/onnx.md" |
  sed -e 's/tensor of any type values or a list of values of one type or a value or nothing, decided when the model runs or none type/tensor, sequence or optional; none where absent/' \
      -e 's/tensor of any type values or a list of values of one type or a value or nothing, decided when the model runs/tensor, sequence or optional/' > "$out/onnx.tmp"
mv "$out/onnx.tmp" "$out/onnx.md"
tblgen -gen-dialect-doc dialects/kern/KernOps.td kern.md -dialect=kern
tblgen -gen-dialect-doc dialects/plan/PlanOps.td plan.md -dialect=plan
tblgen -gen-pass-doc compiler/transforms/Passes.td passes.md
python3 "$root/tools/api-reference.py" "$root/runtime/include/burin" > "$out/api.md"

if [ "${1:-}" = --check ] && ! diff -ru "$root/docs/reference" "$out"; then
  echo "docs/reference is behind the .td files or the headers: run tools/reference.sh, or ninja reference-update"
  exit 1
fi
