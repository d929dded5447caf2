"""Ten subscribers of the recorded events of a region, with nothing but nats-py. Each stalls until others are ahead, loses
its connection in the middle of what it was given, and resumes behind the last event it acknowledged.

usage: ten_subscribers.py BUS_URL CA KEY REGION EVENTS
Prints one JSON line per subscriber when it has that many events: how many it has, and what it has of each.
"""

import asyncio
import hashlib
import json
import random
import sys

import nats
from bus import connect
from nats.js.api import ConsumerConfig

SUBSCRIBERS = 10


class Race:
    """How far the first of them is."""

    def __init__(self) -> None:
        self.first = 0
        self.moved = asyncio.Condition()

    async def reached(self, count: int) -> None:
        async with self.moved:
            self.first = max(self.first, count)
            self.moved.notify_all()

    async def until(self, count: int) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.first >= count)


async def subscriber(number: int, way: tuple, region: str, events: int, race: Race) -> None:
    dice = random.Random(number)
    state, connections = {}, 0
    while len(state) < events:
        nc = await connect(*way)
        connections += 1
        config = ConsumerConfig(ack_wait=1)
        inbox = await nc.jetstream().pull_subscribe("", durable=f"s{number}", stream=f"LOG_{region}", config=config)
        # The first never stalls; the others wait in the middle of a connection until somebody is well ahead.
        ends_at = min(len(state) + dice.randint(events // 4, events // 2), events - (connections < 2))
        if number:
            await race.until(min(len(state) + dice.randint(0, events // 4), events - 1))
        while len(state) < ends_at:
            try:
                given = await inbox.fetch(dice.randint(1, 50), timeout=1)
            except nats.errors.TimeoutError:
                continue
            for message in given:
                # What comes again is the same: its position says which it is.
                position = int(message.headers["Doorstroom-Position"])
                state[position] = hashlib.sha256(message.data).hexdigest()
            await race.reached(len(state))
            if len(state) >= ends_at and connections < 2:
                break
            for message in given:
                await message.ack()
        await nc.close()
    digest = hashlib.sha256(json.dumps(sorted(state.items())).encode()).hexdigest()
    print(json.dumps({"events": len(state), "state": digest, "connections": connections}), flush=True)


async def main(url: str, ca: str, key: str, region: str, events: str) -> None:
    race = Race()
    way = (url, ca, key)
    await asyncio.gather(*(subscriber(number, way, region, int(events), race) for number in range(SUBSCRIBERS)))


asyncio.run(main(*sys.argv[1:]))
