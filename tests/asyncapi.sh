#!/usr/bin/env bash
# Checks an AsyncAPI document with the published parser: `tests/asyncapi.sh FILE`. The parser is obtained on the first
# call, pinned with the hashes of tests/asyncapi/package-lock.json; Node.js is the machine's, or Debian's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
file=${1:?usage: tests/asyncapi.sh FILE}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  printf 'asyncapi.sh: installing nodejs and npm\n' >&2
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo --non-interactive)
  {
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm
  } </dev/null >&2
fi

tools="$root/.tools/asyncapi"
wanted=$(cat "$root/tests/asyncapi/package.json" "$root/tests/asyncapi/package-lock.json" | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$tools/complete" 2>/dev/null)" != "$wanted" ]; then
  printf 'asyncapi.sh: obtaining the parser\n' >&2
  # Into a folder of its own and then renamed, so that an interrupted run leaves nothing that looks complete.
  mkdir -p "$root/.tools"
  fresh=$(mktemp -d "$root/.tools/fetch.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  cp "$root/tests/asyncapi/package.json" "$root/tests/asyncapi/package-lock.json" "$fresh/"
  npm ci --prefix "$fresh" --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
  printf '%s' "$wanted" >"$fresh/complete"
  rm -rf "$tools"
  # Another run may have been faster; then its copy is as good.
  mv -T "$fresh" "$tools" 2>/dev/null || [ -f "$tools/complete" ]
fi
exec node "$root/tests/asyncapi/check.mjs" "$tools" "$file"
