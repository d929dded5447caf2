"""Watches the availability rows with nothing but nats-py, as a coordination centre would.

usage: watch_rows.py BUS_URL CA KEY
Prints one JSON line per thing seen: {"live": true} when the rows of the start are complete, then
{"key", "revision", "operation", "row"} for each. Ends when its standard input closes, after what is already on the way.
"""

import asyncio
import json
import sys

import nats
from bus import connect


async def main(url: str, ca: str, key: str) -> None:
    nc = await connect(url, ca, key)
    bucket = await nc.jetstream().key_value("availability")
    watcher = await bucket.watchall()
    closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while True:
        try:
            # A quiet half second after the input closed means that nothing is on the way any more.
            entry = await watcher.updates(timeout=0.5)
        except (asyncio.TimeoutError, nats.errors.TimeoutError):
            if closed.done():
                break
            continue
        if entry is None:
            print(json.dumps({"live": True}), flush=True)
            continue
        row = json.loads(entry.value) if entry.value and entry.operation is None else None
        print(
            json.dumps({"key": entry.key, "revision": entry.revision, "operation": entry.operation, "row": row}),
            flush=True,
        )
    await nc.close()


asyncio.run(main(*sys.argv[1:]))
