#!/usr/bin/env bash
# Prints the folder of ggml's build with Vulkan, for tests on Mesa's software device. Installs mesa-vulkan-drivers and libvulkan1
# with apt if permitted, and the ggml build from npm into .cache/. Where that fails it says why and ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "$1" >&2
  exit 1
}

has_driver() {
  ldconfig -p 2> /dev/null | grep -q 'libvulkan\.so\.1' && ls /usr/share/vulkan/icd.d/lvp_icd*.json > /dev/null 2>&1
}

[ "$(uname -s)-$(uname -m)" = "Linux-x86_64" ] || fail "the ggml build with Vulkan that is used here is for Linux on x86-64"
if ! has_driver && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers libvulkan1; } > /dev/null || true
fi
has_driver || fail "Mesa's Vulkan driver is missing: apt-get install mesa-vulkan-drivers libvulkan1"

# The same version as the CPU build: headers and enums must match.
version=$(node -p 'require("./packages/ggml/package.json").optionalDependencies["@node-llama-cpp/linux-x64"]')
library=.cache/vulkan/node_modules/@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan
if [ ! -e "$library/libggml-vulkan.so" ] || ! grep -q "\"version\": \"$version\"" "$library/../../package.json"; then
  npm install --no-save --no-audit --no-fund --ignore-scripts --prefix .cache/vulkan \
    "@node-llama-cpp/linux-x64-vulkan@$version" > /dev/null || fail "npm could not install @node-llama-cpp/linux-x64-vulkan@$version"
fi
echo "$library"
