#!/usr/bin/env bash
# The golden cases of the model and the codec on a device whose memory is not the host's: ggml's Vulkan backend on Mesa's software
# device, so no GPU is needed. Tolerances are for half precision, which that backend computes in.
#
#   scripts/verify-vulkan.sh [DIRECTORY] [--case TEXT] [other options of `higgs verify-golden`]
#
# Without a directory, the small set that ships here; a larger one may take a quarter of an hour.
# Skipped with a message where the driver and the library cannot be installed (scripts/vulkan-library.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
directory=()
if [ -n "${1:-}" ] && [ "${1#-}" = "$1" ]; then
  directory=("$1")
  shift
fi

mkdir -p .cache
skip() {
  echo "SKIPPED: the golden cases on Vulkan did not run: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

library=$(scripts/vulkan-library.sh 2> .cache/vulkan-problem) || skip "$(tail -n 1 .cache/vulkan-problem)"

# Mesa's software device is hidden unless requested.
export GGML_VK_VISIBLE_DEVICES=0
exec node apps/worker/bin/higgs.js verify-golden "${directory[@]+"${directory[@]}"}" --group lm codec --device vulkan --ggml-dir "$library" "$@"
