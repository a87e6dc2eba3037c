#!/usr/bin/env bash
# Packs what scripts/gpu/run.sh needs on a machine with a card and without a network, in parts that are small enough to be
# sent one by one: Node, the program with its packages, the demo checkpoint, and ggml for each target with NVIDIA's runtime libraries.
#
#   scripts/gpu/pack.sh OUT [--without-nvidia] [cuda12] [cuda13] [vulkan]     (default: all three)
#
# OUT gets NAME.tar.gz.00, .01 … of at most 60 MB, and run.sh. With --without-nvidia the machine must have CUDA's runtime and cuBLAS of the same
# major version where the loader finds them. Needs npm, python3 with pip, and readelf; libraries are kept in .cache/gpu.
set -euo pipefail
out=$(realpath -m "${1:?name a folder for the parts}")
shift
cd "$(dirname "$0")/../.."
PART_BYTES=60M

with_nvidia=yes
if [ "${1:-}" = --without-nvidia ]; then
  with_nvidia=no
  shift
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(cuda12 cuda13 vulkan)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# A folder below the root of the machine's copy, as parts.
pack() {
  local name=$1 folder=$2
  rm -f "$out/$name".tar.gz.*
  tar -C "$folder" -cf - . | gzip -6 | split -b "$PART_BYTES" -d - "$out/$name.tar.gz."
  printf '%s: %s parts, %s\n' "$name" "$(find "$out" -name "$name.tar.gz.*" | wc -l)" "$(du -ch "$out/$name".tar.gz.* | tail -n 1 | cut -f 1)"
}

npm run --silent build
npx tsx scripts/image/assemble-app.ts "$work/assembled" > /dev/null
mkdir -p "$work/app/app" "$work/app/node"
cp -a "$work/assembled/modules/." "$work/app/app/"
cp -a "$work/assembled/app/." "$work/app/app/"
# Symbols are a fifth of it, for debuggers only.
strip -o "$work/app/node/node" "$(command -v node)" 2> /dev/null || cp "$(command -v node)" "$work/app/node/node"
git rev-parse --short HEAD > "$work/app/commit"
pack app "$work/app"

for target in "${targets[@]}"; do
  cache="$PWD/.cache/gpu/$target"
  mkdir -p "$cache"
  cp "docker/$target/package.json" "docker/$target/package-lock.json" "$cache/"
  [ -d "$cache/node_modules" ] || npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$cache"
  wheels=()
  if [ -e "docker/$target/requirements.txt" ] && [ "$with_nvidia" = yes ]; then
    if [ ! -d "$cache/wheels" ]; then
      mkdir -p "$cache/downloads"
      python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: -d "$cache/downloads" -r "docker/$target/requirements.txt"
      for wheel in "$cache/downloads"/*.whl; do python3 -m zipfile -e "$wheel" "$cache/wheels"; done
      rm -r "$cache/downloads"
    fi
    wheels=("$cache/wheels")
  fi
  assemble="$PWD/scripts/image/assemble-gpu.ts"
  tsx="$PWD/node_modules/.bin/tsx"
  (cd "$cache" && "$tsx" "$assemble" "$work/$target" "${wheels[@]+"${wheels[@]}"}")
  mkdir -p "$work/$target/root"
  for layer in ggml nvidia; do
    if [ -d "$work/$target/$layer" ]; then cp -a "$work/$target/$layer/." "$work/$target/root/"; fi
  done
  pack "$target" "$work/$target/root"
done
cp scripts/gpu/run.sh "$out/"
