# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""stomp.py: a listener that the library's receiver thread calls, as its documentation shows. No heart-beats, which are
its default. It sets TCP_NODELAY nowhere, and decodes bodies to text, its default too."""

import importlib.metadata
import threading

import stomp

from driver import Driver

driver = Driver(importlib.metadata.version("stomp.py"))
connection = stomp.Connection12([(driver.host, driver.port)])
done = threading.Event()
receipts = threading.Semaphore(0)


class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        last = driver.take(frame.headers["message-id"], frame.body)
        if driver.mode == "ack":
            connection.ack(frame.headers["ack"])
        if last:
            done.set()

    def on_receipt(self, frame):
        receipts.release()

    def on_error(self, frame):
        raise SystemExit(f"ERROR: {frame.headers}")


connection.set_listener("", Listener())
connection.connect(wait=True)
driver.begin()
if driver.mode == "recv":
    connection.subscribe(driver.blast, id="1", ack="auto")
    done.wait()
elif driver.mode == "ack":
    connection.subscribe(driver.blast, id="1", ack="client-individual")
    done.wait()
elif driver.mode == "send":
    for _ in range(driver.count):
        connection.send("/sink", driver.body, content_type="text/plain")
else:
    for number in range(driver.count):
        connection.send("/sink", driver.body, content_type="text/plain", receipt=str(number))
        receipts.acquire()
if driver.mode in ("ack", "send"):
    connection.send("/stats", "", receipt="end")
    receipts.acquire()
driver.report()
connection.disconnect()
