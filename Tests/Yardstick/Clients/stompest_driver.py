# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""stompest's synchronous client, as its documentation shows. No heart-beats, which it would send only when told to."""

import importlib.metadata

from stompest.config import StompConfig
from stompest.protocol import StompSpec
from stompest.sync import Stomp

from driver import Driver

driver = Driver(importlib.metadata.version("stompest"))
client = Stomp(StompConfig(f"tcp://{driver.host}:{driver.port}", version=StompSpec.VERSION_1_2))
client.connect()


def wait_for_receipt():
    frame = client.receiveFrame()
    if frame.command != "RECEIPT":
        raise SystemExit(f"{frame.command} instead of RECEIPT")


driver.begin()
headers = {"content-type": "text/plain"}
if driver.mode in ("recv", "ack"):
    mode = StompSpec.ACK_AUTO if driver.mode == "recv" else StompSpec.ACK_CLIENT_INDIVIDUAL
    client.subscribe(driver.blast, {StompSpec.ACK_HEADER: mode, StompSpec.ID_HEADER: "1"})
    while True:
        frame = client.receiveFrame()
        last = driver.take(frame.headers["message-id"], frame.body)
        if driver.mode == "ack":
            client.ack(frame)
        if last:
            break
elif driver.mode == "send":
    for _ in range(driver.count):
        client.send("/sink", driver.body, headers)
else:
    for number in range(driver.count):
        client.send("/sink", driver.body, headers, receipt=str(number))
        wait_for_receipt()
if driver.mode in ("ack", "send"):
    client.send("/stats", b"", receipt="end")
    wait_for_receipt()
driver.report()
client.disconnect()
