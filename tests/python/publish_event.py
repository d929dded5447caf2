"""Puts one JSON event into its mailbox with nothing but nats-py and prints the receipt.

usage: publish_event.py BUS_URL CA KEY < event.json; the key file is called after its sender
"""

import asyncio
import json
import pathlib
import sys

from bus import connect


async def main(url: str, ca: str, key: str) -> None:
    sender = pathlib.Path(key).stem
    body = sys.stdin.buffer.read()
    event = json.loads(body)
    region, kind = event["region"], event["type"].removeprefix("nl.doorstroom.").removesuffix(".v1")
    nc = await connect(url, ca, key)
    receipts = await nc.subscribe(f"receipt.{region}.{sender}")
    await nc.jetstream().publish(f"in.{region}.{sender}.{kind}", body)
    print((await receipts.next_msg(timeout=10)).data.decode())
    await nc.close()


asyncio.run(main(*sys.argv[1:]))
