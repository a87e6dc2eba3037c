#!/usr/bin/env bash
# Builds ggml's CPU backend for Linux on x86-64 from the source of the prebuilt libraries' own release.
#   build.sh                       writes lib/*.so and manifest.json
#   build.sh --check [VARIANT …]   builds these variants (default: all) elsewhere and compares; prints `N passed, N failed`
# The same compiler gives the same bytes, in whatever folder; another one is compared by what the loader sees of a library.
# Needs g++, cmake, make, git and npm; the source comes from the package registry, checked by hash, and is kept in .cache.
set -euo pipefail
cd "$(dirname "$0")"

PACKAGE=node-llama-cpp
VERSION=3.22.1
SOURCE_SHA256=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f
SOURCE_COMMIT=de3ff815ea7d559ee917f063901b8986f038abc6
GGML_VERSION=0.25.1
VARIANTS=(haswell alderlake skylakex cascadelake icelake zen4 sapphirerapids)

mode=write
if [ "${1:-}" = --check ]; then
  mode=check
  shift
fi
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=("${VARIANTS[@]}")

for program in gcc g++ cmake make git npm objdump; do
  if ! command -v "$program" > /dev/null; then
    printf '== SKIPPED: building the CPU library: %s is not installed\n0 passed, 0 failed, 1 skipped\n' "$program"
    [ "$mode" = check ] && exit 0
    exit 2
  fi
done
compiler="$(g++ --version | head -n 1), $(ld --version | head -n 1)"

core=../../node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so
if [ ! -f "$core" ]; then
  printf 'Cannot find %s: run npm ci\n' "$core" >&2
  exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

archive="../../.cache/ggml-cpu/$PACKAGE-$VERSION.tgz"
if ! echo "$SOURCE_SHA256  $archive" | sha256sum --check --status 2> /dev/null; then
  mkdir -p "$(dirname "$archive")"
  npm pack "$PACKAGE@$VERSION" --silent --pack-destination "$(dirname "$archive")" > /dev/null
  echo "$SOURCE_SHA256  $archive" | sha256sum --check --quiet
fi
tar -xzf "$archive" -C "$work" package/llama/gitRelease.bundle
git -c advice.detachedHead=false clone --quiet "$work/package/llama/gitRelease.bundle" "$work/source"
commit="$(git -C "$work/source" rev-parse HEAD)"
if [ "$commit" != "$SOURCE_COMMIT" ]; then
  printf 'The release is commit %s, expected %s\n' "$commit" "$SOURCE_COMMIT" >&2
  exit 1
fi

# Our changes, in the order in which they were made: the README says what each is for.
for change in barrier short-rows q4k-products q8-0-products product-sums codec-passes; do
  git -C "$work/source" apply "$PWD/$change.patch"
done

# As node-llama-cpp builds it: release, all variants as plug-ins, no OpenMP. What differs makes the files smaller by a sixth:
# hidden symbols, no unused sections, and no tables for exceptions, which this code neither throws nor catches. Without `local: *`
# ggml could not unload the variants that it does not choose.
export LC_ALL=C SOURCE_DATE_EPOCH=0
flags="-fno-exceptions -fno-asynchronous-unwind-tables -fvisibility=hidden -ffunction-sections -fdata-sections -ffile-prefix-map=$work/source=. -ffile-prefix-map=$work=."
{
  cmake -S "$work/source" -B "$work/build" -G "Unix Makefiles" \
    -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
    -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF \
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF \
    -DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_SKIP_RPATH=ON \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags -fvisibility-inlines-hidden -fno-math-errno -include $PWD/vector-math.h" \
    -DCMAKE_MODULE_LINKER_FLAGS="-Wl,-z,defs -Wl,-z,noseparate-code -Wl,--gc-sections -Wl,-s -Wl,--version-script=$PWD/exports.map"
  # Linked with the core that they are loaded beside, which must have every symbol that they take.
  mkdir -p "$work/build/bin"
  cp "$core" "$work/build/bin/"
  for variant in "${wanted[@]}"; do
    make -C "$work/build" -j "${JOBS:-$(nproc)}" "ggml-cpu-$variant-feats/fast" "ggml-cpu-$variant/fast"
  done
} > "$work/log" 2>&1 || {
  tail -n 30 "$work/log" >&2
  exit 1
}

# What the loader sees of a library: names that it gives and takes, and the libraries that it needs.
faceOf() {
  objdump -T "$1" | awk 'NF > 3 { print $(NF - 1), $NF }' | sort -u
  objdump -p "$1" | grep NEEDED
}

built="$work/build/bin"
if [ "$mode" = check ]; then
  passed=0
  failed=0
  recorded="$(sed -n 's/^  "compiler": "\(.*\)",$/\1/p' manifest.json)"
  if [ "$compiler" != "$recorded" ]; then
    printf 'Built with %s; the committed libraries were with %s: the bytes differ, so symbols are compared\n' "$compiler" "$recorded"
  fi
  for variant in "${wanted[@]}"; do
    name="libggml-cpu-$variant.so"
    printf '%s\n  built:     %s\n  committed: %s\n' "$name" "$(sha256sum < "$built/$name")" "$(sha256sum < "lib/$name")"
    if cmp --quiet "$built/$name" "lib/$name" ||
      { [ "$compiler" != "$recorded" ] && [ "$(faceOf "$built/$name")" = "$(faceOf "lib/$name")" ]; }; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
    fi
  done
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
  exit
fi

glibc="$(objdump -T "$built"/libggml-cpu-*.so | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)"
mkdir -p lib
rm -f lib/*.so
{
  printf '{\n  "ggml": "%s",\n' "$GGML_VERSION"
  printf '  "source": {\n    "package": "%s",\n    "version": "%s",\n    "sha256": "%s",\n    "commit": "%s"\n  },\n' \
    "$PACKAGE" "$VERSION" "$SOURCE_SHA256" "$SOURCE_COMMIT"
  printf '  "compiler": "%s",\n  "glibc": "%s",\n  "files": {' "$compiler" "${glibc#GLIBC_}"
  separator=''
  for variant in "${wanted[@]}"; do
    name="libggml-cpu-$variant.so"
    install -m 644 "$built/$name" "lib/$name"
    printf '%s\n    "%s": {\n      "bytes": %s,\n      "sha256": "%s"\n    }' "$separator" "$name" "$(stat -c %s "lib/$name")" \
      "$(sha256sum < "lib/$name" | cut -d ' ' -f 1)"
    separator=','
  done
  printf '\n  }\n}\n'
} > manifest.json
cat manifest.json
