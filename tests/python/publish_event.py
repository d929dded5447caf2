"""Puts one JSON event into its mailbox with nothing but nats-py and prints the receipt.

usage: publish_event.py BUS_URL SENDER < event.json
"""

import asyncio
import json
import sys

import nats


async def main(url: str, sender: str) -> None:
    body = sys.stdin.buffer.read()
    event = json.loads(body)
    region, kind = event["region"], event["type"].removeprefix("nl.doorstroom.").removesuffix(".v1")
    nc = await nats.connect(url)
    receipts = await nc.subscribe(f"receipt.{region}.{sender}")
    await nc.jetstream().publish(f"in.{region}.{sender}.{kind}", body)
    print((await receipts.next_msg(timeout=10)).data.decode())
    await nc.close()


asyncio.run(main(sys.argv[1], sys.argv[2]))
