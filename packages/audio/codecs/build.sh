#!/usr/bin/env bash
# Builds codecs.wasm from the locked sources, the same bytes on every machine.
#   build.sh          writes codecs.wasm and codecs.wasm.sha256
#   build.sh --check  builds it elsewhere and compares; prints `N passed, N failed`
# Needs cargo of the pinned toolchain with wasm32-unknown-unknown, which rustup installs.
set -euo pipefail
cd "$(dirname "$0")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

toolchain="$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)"
target=wasm32-unknown-unknown
if ! rustup toolchain install "$toolchain" --profile minimal --target "$target" --no-self-update > "$work/rustup.log" 2>&1; then
  # What is installed already is enough.
  if ! rustup target list --installed --toolchain "$toolchain" 2> /dev/null | grep -qx "$target"; then
    printf '== SKIPPED: rebuilding codecs.wasm: Rust %s for %s cannot be had here\n' "$toolchain" "$target"
    printf '0 passed, 0 failed, 1 skipped\n'
    exit 0
  fi
fi

# The folders of this machine would stand in the messages of panics. Vendored, all sources lie in one folder with a name
# that the flags replace.
mkdir "$work/crate"
cp -r Cargo.toml Cargo.lock src "$work/crate"
cd "$work/crate"
mkdir .cargo
# Not quiet: what it prints is the configuration that makes cargo use the folder.
cargo "+$toolchain" vendor --locked ../vendor > .cargo/config.toml 2> "$work/vendor.log"
export CARGO_TARGET_DIR="$work/target"
# Decoding has to fit 64 MiB: a file that wants more ends in a trap.
export RUSTFLAGS="--remap-path-prefix=$work=/build -C link-arg=--max-memory=67108864"
cargo "+$toolchain" build --locked --offline --quiet --release --target "$target"
cd - > /dev/null
built="$work/target/$target/release/higgs_audio_codecs.wasm"

if [ "${1:-}" = --check ]; then
  printf 'built:     %s\ncommitted: %s\n' "$(sha256sum < "$built")" "$(sha256sum < codecs.wasm)"
  if cmp --quiet "$built" codecs.wasm && sha256sum --quiet --check codecs.wasm.sha256; then
    printf '1 passed, 0 failed\n'
  else
    printf '0 passed, 1 failed\n'
    exit 1
  fi
else
  cp "$built" codecs.wasm
  sha256sum codecs.wasm | tee codecs.wasm.sha256
fi
