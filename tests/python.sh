#!/usr/bin/env bash
# Prints the path of a Python in an environment of its own that has nats-py and nothing else of NATS: what a
# subscriber who never heard of us has. Made on the first call, from hashes in tests/python/requirements.txt.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ -n "${DOORSTROOM_PYTHON:-}" ]; then
  printf '%s\n' "$DOORSTROOM_PYTHON"
  exit 0
fi

environment="$root/.tools/py"
python="$environment/bin/python"
wanted=$(sha256sum "$root/tests/python/requirements.txt" | cut -d ' ' -f 1)
if [ "$(cat "$environment/complete" 2>/dev/null)" != "$wanted" ]; then
  printf 'python.sh: making %s\n' "$environment" >&2
  # Without its own pip: Debian's Python can do that without further packages, and the pip outside serves both.
  python3 -m venv --clear --without-pip "$environment" >&2
  python3 -m pip --python "$python" --quiet --disable-pip-version-check install --only-binary :all: \
    --require-hashes --requirement "$root/tests/python/requirements.txt" </dev/null >&2
  printf '%s' "$wanted" >"$environment/complete"
fi
printf '%s\n' "$python"
