#!/usr/bin/env bash
# Packs and runs what scripts/gpu prepares for a card, with tiny shapes on Mesa's software Vulkan device, so that it works when a card is
# at hand. Skipped with a message where driver and library cannot be installed (scripts/vulkan-library.sh).
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .cache
if ! scripts/vulkan-library.sh > /dev/null 2> .cache/vulkan-problem; then
  echo "SKIPPED: the prepared run for a card: $(tail -n 1 .cache/vulkan-problem)"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
parts=$(mktemp -d)
results=$(mktemp -d)
trap 'rm -rf "$parts" "$results"' EXIT
scripts/gpu/pack.sh "$parts" vulkan
largest=$(find "$parts" -type f -printf '%s\n' | sort -n | tail -n 1)
if [ "$largest" -ge 64000000 ]; then
  echo "A part is too large: $largest bytes"
  exit 1
fi
# Mesa's software device is hidden unless requested.
export GGML_VK_VISIBLE_DEVICES=0
# Nothing of this checkout may be needed: the run starts elsewhere, from the parts alone.
(cd / && "$parts/run.sh" "$parts" "$results" --tiny --minutes 60)
node -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1])); if (r.rows.length !== 2) process.exit(1)' "$results/gpu-vulkan-tiny.json"
