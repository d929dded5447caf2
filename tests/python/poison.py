"""Puts a request at its own counter with a header that breaks the rules of the protocol, until it is shut out.

usage: poison.py BUS_URL CA KEY REGION; the key file is called after its sender
Prints how many it sent when the broker lets it in no more.
"""

import asyncio
import pathlib
import sys

from bus import connect

HEADERS = b"NATS/1.0\r\nX: a\rb\r\n\r\n"


async def main(url: str, ca: str, key: str, region: str) -> None:
    subject = f"record.{region}.{pathlib.Path(key).stem}"
    nc = await connect(url, ca, key, allow_reconnect=False)
    sent = 0
    while nc.is_connected:
        # The library checks what it is given, so what goes over the wire is written here.
        await nc._send_command(
            b"HPUB %s %d %d\r\n%s{}\r\n" % (subject.encode(), len(HEADERS), len(HEADERS) + 2, HEADERS)
        )
        await nc._flush_pending()
        sent += 1
        await asyncio.sleep(0.2)
    print(sent)


asyncio.run(main(*sys.argv[1:]))
