#!/usr/bin/env bash
# The golden cases of the model and the codec on a device whose memory is not the host's: ggml's Vulkan backend on Mesa's software
# device, so no GPU is needed. Tolerances are for half precision, which that backend computes in.
#
#   scripts/verify-vulkan.sh DIRECTORY [--case TEXT] [other options of `higgs verify-golden`]
#
# Installs mesa-vulkan-drivers and libvulkan1 with apt if permitted, and the ggml build from npm into .cache/. Skipped with a message
# where that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=${1:?"usage: scripts/verify-vulkan.sh DIRECTORY_OF_GOLDEN_VALUES [options of higgs verify-golden]"}
shift

skip() {
  echo "SKIPPED: the golden cases on Vulkan did not run: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}

has_driver() {
  ldconfig -p 2> /dev/null | grep -q 'libvulkan\.so\.1' && ls /usr/share/vulkan/icd.d/lvp_icd*.json > /dev/null 2>&1
}

[ "$(uname -s)-$(uname -m)" = "Linux-x86_64" ] || skip "the ggml build with Vulkan that is used here is for Linux on x86-64"
if ! has_driver && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers libvulkan1; } > /dev/null || true
fi
has_driver || skip "Mesa's Vulkan driver is missing: apt-get install mesa-vulkan-drivers libvulkan1"

# The same version as the CPU build: headers and enums must match.
version=$(node -p 'require("./packages/ggml/package.json").optionalDependencies["@node-llama-cpp/linux-x64"]')
library=.cache/vulkan/node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan
if [ ! -e "$library/libggml-vulkan.so" ] || ! grep -q "\"version\": \"$version\"" "$library/../../package.json"; then
  npm install --no-save --no-audit --no-fund --ignore-scripts --prefix .cache/vulkan \
    "@node-llama-cpp/linux-x64-vulkan@$version" || skip "npm could not install @node-llama-cpp/linux-x64-vulkan@$version"
fi

# Mesa's software device is hidden unless requested.
export GGML_VK_VISIBLE_DEVICES=0
exec node apps/worker/bin/higgs.js verify-golden "$directory" --group lm codec --device vulkan --ggml-dir "$library" "$@"
