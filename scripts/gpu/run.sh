#!/usr/bin/env bash
# Proves and measures this program on a machine with a card and without a network, in ten minutes at most, from the parts that
# scripts/gpu/pack.sh made.
#
#   run.sh PARTS OUT [--minutes N] [--tiny]
#
# For each target whose parts are there: golden values on the device; prefill, decode step, codec and 1 … 64 sequences at once of random
# weights of the released shapes, with the share of the memory's speed; the same with steps of one shape only (HIGGS_EXACT); first audio of the
# demo; start with cold and with warm kernels. OUT gets summary.txt and one JSON report a run, fit for bench/results. What comes first
# matters most: when the time is up, the rest is left out and the summary says so. --tiny takes the demo checkpoint and two sequences, and the kernels that are there.
set -uo pipefail
parts=$(realpath "${1:?name the folder with the parts}")
out=$(realpath -m "${2:?name a folder for the results}")
shift 2
minutes=10
tiny=no
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) minutes=$2; shift 2 ;;
    --tiny) tiny=yes; shift ;;
    *) echo "Unknown: $1" >&2; exit 2 ;;
  esac
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$out"
summary="$out/summary.txt"
: > "$summary"
end=$(($(date +%s) + minutes * 60))
passed=0
failed=0

say() { printf '%s\n' "$*" | tee -a "$summary"; }

for name in app cuda12 cuda13 vulkan; do
  if [ -e "$parts/$name.tar.gz.00" ]; then cat "$parts/$name".tar.gz.* | tar -xzf - -C "$root"; fi
done
node="$root/node/node"
commit=$(cat "$root/commit")
card=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | head -n 1)
say "commit $commit, card ${card:-unknown}, $(nproc) cores, $(date -u +%F)"

# Runs a step with what is left of the time, its output in a file of its own; says how it ended and how long it took.
step() {
  local name=$1 left started status
  shift
  left=$((end - $(date +%s)))
  if [ "$left" -lt 5 ]; then
    say "LEFT OUT  $name: the time is up"
    return 1
  fi
  started=$(date +%s.%N)
  (cd "$root" && timeout "$left" "$@") > "$root/log" 2>&1
  status=$?
  say "$(printf '%-9s %s, %.1f s' "$([ $status = 0 ] && echo passed || echo "FAILED $status")" "$name" "$(echo "$(date +%s.%N) $started" | awk '{ print $1 - $2 }')")"
  if [ $status = 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    tail -n 15 "$root/log" | tee -a "$summary"
  fi
  return $status
}

# A process of its own each, which the time limit reaches.
higgs=("$node" "$root/app/apps/worker/bin/higgs.js")

# A report of `higgs bench`: the table goes into the summary, the JSON into a file of its own.
bench() {
  local name=$1
  shift
  local title="${card:-this machine}, $name, commit $commit"
  step "$name" "${higgs[@]}" bench --title "$title" "$@" || return
  sed '$d' "$root/log" | tee -a "$summary"
  tail -n 1 "$root/log" > "$out/gpu-${name// /-}.json"
}

# Of the target's library, with kernels of its own.
run_target() {
  local target=$1 library=$2 device=$3 kernels="$root/kernels-$1"
  local device_flags=(--device "$device" --ggml-dir "$library")
  local speak=("${higgs[@]}" speak "The sun is warm." --seed 1 "${device_flags[@]}" --out "$root/speech.wav")
  local golden=(--group lm codec)
  say "== $target"
  if [ "$tiny" = yes ]; then
    golden=(--group codec --case "decode 1")
    step "$target, start and a sentence" "${speak[@]}"
  else
    export CUDA_CACHE_PATH="$kernels" MESA_SHADER_CACHE_DIR="$kernels" CUDA_CACHE_MAXSIZE=4294967296
    step "$target, start and a sentence, cold kernels" "${speak[@]}"
    step "$target, start and a sentence, warm kernels" "${speak[@]}"
  fi
  step "$target, golden values" "${higgs[@]}" verify-golden "${golden[@]}" "${device_flags[@]}"
  grep -E 'near ties|^[0-9]+ passed' "$root/log" | tee -a "$summary"
  if [ "$tiny" = yes ]; then
    bench "$target tiny" --only batch --batch 1 2 --steps 2 "${device_flags[@]}"
    return
  fi
  local random=(--random full "${device_flags[@]}")
  bench "$target bf16" "${random[@]}" --weights bf16 --only model codec encode batch --batch 1 2 4 8 16 32 64
  bench "$target demo" --only end-to-end first-audio voice "${device_flags[@]}"
  # The other targets are there to be compared with the first one.
  [ "$target" = "$first" ] || return
  bench "$target exact" "${random[@]}" --weights bf16 --exact true --only batch --batch 1 8 32
  bench "$target q8_0" "${random[@]}" --weights q8_0 --only decode batch --batch 1 8 32
  bench "$target q4_k" "${random[@]}" --weights q4_k --only decode
  step "$target, recorded graphs known again" "${speak[@]}" --log-level debug
  say "steps whose graph was known by its number: $(grep -c 'CUDA Graph id .* reused' "$root/log")"
}

first=""
for target in cuda12 cuda13 vulkan; do
  [ -e "$parts/$target.tar.gz.00" ] || continue
  case "$target" in cuda12) package=linux-x64-cuda-ext ;; cuda13) package=linux-x64-cuda ;; vulkan) package=linux-x64-vulkan ;; esac
  library=$(find "$root/app/node_modules/@node-llama-cpp/$package" -name 'libggml-*.so' \( -name '*cuda*' -o -name '*vulkan*' \) -printf '%h\n' | head -n 1)
  first=${first:-$target}
  run_target "$target" "$library" "${target%1[23]}"
done

say ""
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
