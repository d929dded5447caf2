#!/usr/bin/env bash
# Prints the path of an strace, installing Debian's when there is none.
set -euo pipefail

if ! command -v strace >/dev/null; then
  printf 'strace.sh: installing strace\n' >&2
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo --non-interactive)
  {
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends strace
  } </dev/null >&2
fi
command -v strace || {
  printf 'strace.sh: there is no strace and apt brought none; install one\n' >&2
  exit 1
}
