# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""stompman: asyncio, handlers called by the library. Acks are sent by the library after the handler has returned, its
default. Heart-beats (1 s both ways) and the limit on concurrent handlers (100) are its defaults."""

import asyncio
import importlib.metadata

import stompman

from driver import Driver

driver = Driver(importlib.metadata.version("stompman"))


def on_suppressed_exception(error, frame):
    raise SystemExit(f"the handler has failed: {error}")


async def main():
    server = stompman.ConnectionParameters(host=driver.host, port=driver.port, login="guest", passcode="guest")
    async with stompman.Client(servers=[server]) as client:
        done = asyncio.Event()

        async def handle(frame):
            if driver.take(frame.headers["message-id"], frame.body):
                done.set()

        driver.begin()
        subscription = None
        if driver.mode in ("recv", "ack"):
            subscription = await client.subscribe(
                driver.blast,
                handle,
                ack="auto" if driver.mode == "recv" else "client-individual",
                on_suppressed_exception=on_suppressed_exception,
            )
            await done.wait()
            # The last ack is sent after its handler has returned.
            await asyncio.sleep(0)
        elif driver.mode == "send":
            for _ in range(driver.count):
                await client.send(driver.body, "/sink", content_type="text/plain")
        else:
            for _ in range(driver.count):
                await client.send(driver.body, "/sink", content_type="text/plain", receipt_timeout=30)
        if driver.mode in ("ack", "send"):
            await client.send(b"", "/stats", receipt_timeout=30)
        driver.report()
        if subscription:
            await subscription.unsubscribe()


asyncio.run(main())
