#!/usr/bin/env bash
# Prints the path of a Chromium, installing Debian's when there is none.
set -euo pipefail

if [ -n "${DOORSTROOM_CHROMIUM:-}" ]; then
  printf '%s\n' "$DOORSTROOM_CHROMIUM"
  exit 0
fi

find_one() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if ! find_one >/dev/null; then
  printf 'chromium.sh: installing chromium\n' >&2
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo --non-interactive)
  {
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium
  } </dev/null >&2
fi
find_one || {
  printf 'chromium.sh: there is no chromium and apt brought none; install one or set DOORSTROOM_CHROMIUM\n' >&2
  exit 1
}
