# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""aiostomp: asyncio, handlers called by the library, which acks when the handler returns something true, its default.
It speaks 1.1 and tells nobody of a RECEIPT: so its round trip is that of an echoed message ("note": "echo"), and the
end of sending is seen by the MESSAGE with the peer's counters. It says nothing of back-pressure: sending returns at
once and what the socket does not take is kept; the driver lets the event loop run every 100 messages, and waits for
nothing. Heart-beats (1 s both ways) are its default."""

import asyncio
import importlib.metadata

from aiostomp import AioStomp

from driver import Driver

driver = Driver(importlib.metadata.version("aiostomp"))


async def failed(error):
    raise SystemExit(f"ERROR: {error}")


async def main():
    client = AioStomp(driver.host, driver.port, error_handler=failed)
    await client.connect()
    arrived = asyncio.Event()

    async def handle(frame, body):
        if driver.take(frame.headers["message-id"], body):
            arrived.set()
        return True

    async def wake(frame, body):
        arrived.set()
        return True

    async def wait_for_all():
        arrived.clear()
        client.subscribe("/stats", handler=wake)
        client.send("/stats")
        await arrived.wait()

    driver.begin()
    if driver.mode in ("recv", "ack"):
        client.subscribe(driver.blast, ack="auto" if driver.mode == "recv" else "client-individual", handler=handle)
        await arrived.wait()
        if driver.mode == "ack":
            await wait_for_all()
    elif driver.mode == "send":
        for number in range(driver.count):
            client.send("/sink", driver.body, headers={"content-type": "text/plain"})
            if number % 100 == 99:
                await asyncio.sleep(0)
        await wait_for_all()
    else:
        client.subscribe("/echo", handler=wake)
        for _ in range(driver.count):
            arrived.clear()
            client.send("/echo", driver.body, headers={"content-type": "text/plain"})
            await arrived.wait()
    driver.report(**({"note": "echo"} if driver.mode == "rtt" else {}))
    client.close()


asyncio.run(main())
