#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# quiet.sh PROGRAM ARGS...: no memory is mapped and no thread started between the
# program's marks "quiet-begin" and "quiet-end". Exit code 77 (skipped) where nothing
# can be traced.
set -u
# The leak check of an instrumented program cannot run under strace.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
trace=$(mktemp) || exit 1
trap 'rm -f "$trace"' EXIT
if ! command -v strace >/dev/null; then
  echo "skipped: strace is not installed"
  exit 77
fi
if ! strace -f -o "$trace" true 2>/dev/null || ! grep -q exit_group "$trace"; then
  echo "skipped: strace may not trace here"
  exit 77
fi
strace -f -o "$trace" -e trace=write,mmap,munmap,mremap,mprotect,brk,madvise,clone,clone3,fork,vfork,execve,open,openat \
  "$@" || { echo "the program failed"; exit 1; }
between=$(sed -n '/write(2, "quiet-begin/,/write(2, "quiet-end/p' "$trace")
marks=$(printf '%s\n' "$between" | grep -c 'write(2, "quiet-')
if [ "$marks" -lt 2 ]; then
  echo "the marks are not in the trace"
  exit 1
fi
calls=$(printf '%s\n' "$between" | grep -v 'write(2, "quiet-')
if [ -n "$calls" ]; then
  echo "between create and destroy:"
  printf '%s\n' "$calls"
  exit 1
fi
echo "no system call for memory, threads or files between create and destroy"
