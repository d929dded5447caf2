"""How a client gets onto the bus with nothing but nats-py: the broker is believed by its certificate alone, and the
key says who the client is. Its inboxes begin with its name, because it hears answers nowhere else."""

import pathlib
import ssl

import nats


async def connect(url: str, ca: str, key: str, **more) -> nats.aio.client.Client:
    return await nats.connect(
        url,
        tls=ssl.create_default_context(cafile=ca),
        nkeys_seed=key,
        inbox_prefix=f"_INBOX.{pathlib.Path(key).stem}".encode(),
        **more,
    )
