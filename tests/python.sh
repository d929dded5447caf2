#!/usr/bin/env bash
# Prints the path of a Python in an environment of its own that has nats-py and nothing else of NATS: what a
# subscriber who never heard of us has. Made on the first call, from hashes in tests/python/requirements.txt.
# `tests/python.sh dcb`: one that has a published client of a DCB event store, from tests/python/dcb.txt.
# `tests/python.sh api`: one that has schemathesis, from tests/python/api.txt.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case "${1:-}" in
  '') given=${DOORSTROOM_PYTHON:-} environment="$root/.tools/py" requirements="$root/tests/python/requirements.txt" ;;
  dcb) given=${DOORSTROOM_PYTHON_DCB:-} environment="$root/.tools/py-dcb" requirements="$root/tests/python/dcb.txt" ;;
  api) given=${DOORSTROOM_PYTHON_API:-} environment="$root/.tools/py-api" requirements="$root/tests/python/api.txt" ;;
  *)
    printf 'usage: tests/python.sh [dcb|api]\n' >&2
    exit 2
    ;;
esac

if [ -n "$given" ]; then
  printf '%s\n' "$given"
  exit 0
fi

python="$environment/bin/python"
wanted=$(sha256sum "$requirements" | cut -d ' ' -f 1)
if [ "$(cat "$environment/complete" 2>/dev/null)" != "$wanted" ]; then
  printf 'python.sh: making %s\n' "$environment" >&2
  # Without a pip of its own: a Python without the packages for that can do it too, and the pip outside serves both.
  python3 -m venv --clear --without-pip "$environment" >&2
  packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  # The package of the keys is there as source only; it is plain Python.
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --no-binary nkeys --require-hashes --target "$packages" --requirement "$requirements" </dev/null >&2
  printf '%s' "$wanted" >"$environment/complete"
fi
printf '%s\n' "$python"
