#!/usr/bin/env bash
# Runs a finding with exactly the packages that its header names, installed below .cache/findings:
#   findings/run.sh findings/chained-opus.py        exit code 0: the surprise is still there; 1: it is not; 2: cannot run here
set -euo pipefail
script=$(realpath "${1:?usage: findings/run.sh FILE}")
packages=$(sed -nE 's,^(#|//) packages: ,,p' "$script")
cache="$(dirname "$script")/../.cache/findings/$(basename "$script")"
mkdir -p "$cache"
cache=$(realpath "$cache")
cp "$script" "$cache/"
cd "$cache"
read -r -a list <<< "$packages"
case $script in
  *.py)
    [ -x venv/bin/python ] || python3 -m venv venv || exit 2
    venv/bin/python -m pip install --quiet --disable-pip-version-check "${list[@]}" || exit 2
    exec venv/bin/python "$(basename "$script")"
    ;;
  *.mjs)
    [ -f package.json ] || echo '{"private": true, "type": "module"}' > package.json
    npm install --no-save --no-audit --no-fund --silent --ignore-scripts "${list[@]}" || exit 2
    exec node "$(basename "$script")"
    ;;
  *) echo "findings/run.sh: neither .py nor .mjs: $script" >&2; exit 2 ;;
esac
