#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# burin-run.sh BURIN-RUN FIXTURE.so OTHER.so: the command line contract on the runtime's fixture
# (test/runtime/Fixture.h); OTHER.so is of another interface version.
set -u
run=$1 model=$2 other=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

fail() {
  echo "failed: $*"
  cat out.txt err.txt 2>/dev/null
  exit 1
}
# expect CODE COMMAND...: runs and checks the exit code; output in out.txt, err.txt
expect() {
  code=$1
  shift
  "$@" >out.txt 2>err.txt
  got=$?
  [ $got -eq "$code" ] || fail "exit $got, not $code: $*"
}
says() { # says FILE TEXT
  grep -qF -- "$2" "$1" || fail "'$2' is not in $1"
}

expect 0 "$run" --help
says out.txt 'burin-run bench MODEL.so'
expect 2 "$run"
expect 2 "$run" fly "$model"
says err.txt "unknown verb 'fly'"
expect 2 "$run" run
says err.txt 'no model is given'
expect 2 "$run" run "$model" --wings 2
says err.txt "unknown option '--wings'"
expect 2 "$run" run "$model" --threads many -o o
says err.txt "takes a number up to 1024, not 'many'"

# What a core can do: numbers above none.
expect 0 "$run" machine
grep -qE '"flops": \{"[0-9]+": [1-9][0-9]+.*"memory_bytes_per_s": [1-9][0-9]+, "cache_bytes_per_s": [1-9][0-9]+, "cache_bytes": [1-9]' out.txt ||
  fail 'machine'
expect 2 "$run" machine "$model"
says err.txt 'is one argument too many'

# Files that are no artifact.
expect 2 "$run" inspect none.so
echo text >text.so
expect 2 "$run" inspect text.so
says err.txt 'not an ELF file'
size=$(wc -c <"$model")
for cut in 40 100 $((size / 2)) $((size - 1)); do
  head -c "$cut" "$model" >cut.so
  expect 2 "$run" inspect cut.so
  says err.txt 'cut'
done
for verb in inspect "run --random 1 -o o" bench; do
  expect 2 "$run" $verb "$other"
  says err.txt "made for another version of Burin's interface"
done

# Outputs by name, in a folder that is made; the same bits on two threads.
expect 0 "$run" run "$model" --random 1 --dim rows=6 --dim picks=2 -o deep/o1
says out.txt 'float32[6,8]'
expect 0 "$run" run "$model" --random 1 --dim rows=6 --dim picks=2 -o o2 --threads 2 --json
says out.txt '"worker_parts": [2, 2]'
for name in y picked positive; do
  cmp "deep/o1/$name.npy" "o2/$name.npy" || fail "$name differs between 1 and 2 threads"
done
expect 0 "$run" run "$model" --random 2 --dim rows=6 -o o3
cmp -s o2/y.npy o3/y.npy && fail 'two seeds give the same input'
expect 2 "$run" run "$model" --random 1 --dim rows=65 -o o
says err.txt "takes 1 to 64, not 65"
expect 2 "$run" run "$model" -o o
says err.txt '-i x=FILE  float32[?,8]'

# Inputs from files: y as x, a wrong shape, a wrong name.
expect 0 "$run" run "$model" -i x=o2/y.npy --random 1 -o o4
says out.txt 'float32[6,8]'
expect 2 "$run" run "$model" -i x=o2/picked.npy --random 1 -o o
says err.txt "input 'x' is float32[?,8], but 'o2/picked.npy' holds float32[2]"
expect 2 "$run" run "$model" -i z=o2/y.npy --random 1 -o o
says err.txt 'names none of the inputs'
expect 2 "$run" run "$model" -i x=none.npy --random 1 -o o
says err.txt "'none.npy'"
if [ -e /dev/full ] && [ "$(id -u)" -ne 0 ]; then
  mkdir locked && chmod a-w locked
  expect 2 "$run" run "$model" --random 1 -o locked
fi
find . -name '*.part*' | grep . && fail 'a half-written file is left'

# A data set: x f32[1,8] of ones, bias f32[8] of twos, index i64[2] = {0, 7}.
ones='\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077'
twos='\000\000\000\100\000\000\000\100\000\000\000\100\000\000\000\100\000\000\000\100\000\000\000\100\000\000\000\100\000\000\000\100'
fours='\000\000\200\100\000\000\200\100\000\000\200\100\000\000\200\100\000\000\200\100\000\000\200\100\000\000\200\100\000\000\200\100'
mkdir set
printf "\\010\\001\\010\\010\\020\\001\\112\\040$ones" >set/input_0.pb
printf "\\010\\010\\020\\001\\112\\040$twos" >set/input_1.pb
printf '\010\002\020\007\072\002\000\007' >set/input_2.pb
printf "\\010\\001\\010\\010\\020\\001\\112\\040$fours" >set/output_0.pb
printf '\010\002\020\001\112\010\000\000\000\100\000\000\000\100' >set/output_1.pb
printf "\\010\\010\\020\\001\\112\\040$ones" >set/output_2.pb
expect 0 "$run" check "$model" set set --timeout 60
[ "$(grep -c '^PASS set max_error=0$' out.txt)" -eq 2 ] || fail 'not two PASS lines'
cp -r set wrong
printf "\\010\\001\\010\\010\\020\\001\\112\\040$twos" >wrong/output_0.pb
expect 1 "$run" check "$model" wrong set
says out.txt "FAIL wrong output 0 'y' float32[1,8]: 8 of 8 elements differ, at [0, 0] by most: 4, expected 2"
says out.txt 'PASS set'
expect 0 "$run" check "$model" wrong --rtol 1.5
cp -r set fault
printf '\010\002\020\007\072\002\000\010' >fault/input_2.pb
expect 1 "$run" check "$model" fault
says out.txt "FAIL fault node 'pick': index 8 is out of range"
rm fault/input_2.pb
expect 1 "$run" check "$model" fault
says out.txt 'the data set has 2 inputs, the model 3'

expect 0 "$run" bench "$model" --seconds 0.05 --batch 3 --json
for key in latency_ms cpu_ms iterations throughput_per_s open_ms first_ms peak_rss_bytes p99; do
  says out.txt "\"$key\""
done
# Where the time goes: each kernel with its nodes; a timeline with the workers' parts.
expect 0 "$run" bench "$model" --seconds 0.02 --threads 2 --profile --trace t.json --trace-runs 4
grep -qE '^ +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+  k_add: add, relu$' out.txt || fail 'no line for k_add'
says out.txt 'runs, of which between kernels'
expect 0 "$run" bench "$model" --seconds 0.02 --profile --json
says out.txt '"profile": {"runs": '
says out.txt '"launches": [{"nodes": "add, relu", "calls": '
[ "$(grep -c '"name": "run"' t.json)" -eq 4 ] || fail 'not four runs in the timeline'
[ "$(grep -c '"k_add", "cat": "part".*"tid": 1' t.json)" -eq 4 ] || fail 'not four parts of worker 1'
says t.json '"args": {"nodes": "add, relu", "tasks": "16..32"}'
expect 2 "$run" bench "$model" --seconds 0.02 --trace none/t.json
expect 0 "$run" inspect "$model"
says out.txt 'dim rows: 1 to 64'
echo 'the command line contract holds'
