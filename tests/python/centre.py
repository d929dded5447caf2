"""What a coordination centre reads with nothing but nats-py: the streams and rows of its regions, and nothing else.

usage: centre.py BUS_URL CA KEY REGION,REGION… OTHER_REGION EVENTS
Prints one JSON object when it has that many events: how many events it has, the rows of the board, and what it was
told when it asked for the other region.
"""

import asyncio
import json
import sys

import nats
from bus import connect
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy


async def all_of(js, stream: str, policy: DeliverPolicy, wanted: int | None) -> list:
    """Everything a stream holds now, or as many messages as are wanted."""
    subscription = await js.pull_subscribe(
        ">", stream=stream, config=ConsumerConfig(deliver_policy=policy, ack_policy=AckPolicy.NONE)
    )
    found = []
    while wanted is None or len(found) < wanted:
        try:
            found += await subscription.fetch(256, timeout=3)
        except asyncio.TimeoutError:
            if wanted is None:
                break
    return found


async def main(url: str, ca: str, key: str, regions: str, other: str, events: str) -> None:
    refused = asyncio.Event()

    async def told(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refused.set()

    nc = await connect(url, ca, key, error_cb=told)
    js = nc.jetstream()
    streams = [f"LOG_{region}" for region in regions.split(",")]
    seen = {"events": 0}
    while seen["events"] < int(events):
        counts = [(await js.stream_info(stream)).state.messages for stream in streams]
        seen["events"] = sum(counts)
    for stream, count in zip(streams, counts):
        assert len(await all_of(js, stream, DeliverPolicy.ALL, count)) == count
    rows, others = {}, 0
    for message in await all_of(js, "KV_availability", DeliverPolicy.LAST_PER_SUBJECT, None):
        region, kind, *_ = message.subject.removeprefix("$KV.availability.").split(".")
        others += region not in regions.split(",")
        if kind == "loc" and message.data:
            rows[message.subject] = json.loads(message.data)
    seen["rows"] = sorted(rows.values(), key=lambda row: (row["region"], row["location"], row["care_type"]))
    seen["other_rows"] = others
    try:
        await js.stream_info(f"LOG_{other}")
        seen["other_stream"] = "there"
    except nats.js.errors.NotFoundError:
        seen["other_stream"] = "not found"
    answer = await nc.request("svc.doorstroom.availability", json.dumps({"region": other}).encode(), timeout=5)
    seen["other_service"] = (answer.headers or {}).get("Nats-Service-Error-Code")
    await nc.publish(f"log.{other}.bed.freed", b"{}")
    await asyncio.wait_for(refused.wait(), 5)
    seen["other_publish"] = "refused"
    print(json.dumps(seen))
    await nc.close()


asyncio.run(main(*sys.argv[1:]))
