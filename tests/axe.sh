#!/usr/bin/env bash
# Prints the path of axe-core, which looks at pages for what keeps people out; obtained from the package registry, pinned by
# hash, on the first call.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=4.14.1
wanted=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

if [ -n "${DOORSTROOM_AXE:-}" ]; then
  printf '%s\n' "$DOORSTROOM_AXE"
  exit 0
fi

folder="$root/.tools/axe-$version"
if [ ! -f "$folder/axe.min.js" ]; then
  printf 'axe.sh: obtaining axe-core %s\n' "$version" >&2
  draft=$(mktemp -d)
  trap 'rm -rf "$draft"' EXIT
  (cd "$draft" && npm pack --silent "axe-core@$version" >/dev/null </dev/null)
  found=sha512-$(openssl dgst -sha512 -binary "$draft/axe-core-$version.tgz" | base64 -w 0)
  if [ "$found" != "$wanted" ]; then
    printf 'axe.sh: what came is not axe-core %s: %s\n' "$version" "$found" >&2
    exit 1
  fi
  tar -xzf "$draft/axe-core-$version.tgz" -C "$draft" package/axe.min.js
  mkdir -p "$folder"
  mv "$draft/package/axe.min.js" "$folder/axe.min.js"
fi
printf '%s\n' "$folder/axe.min.js"
