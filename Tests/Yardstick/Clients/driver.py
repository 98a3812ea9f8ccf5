# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""What the drivers in Python share: arguments, the stopwatch and the line of JSON."""

import json
import resource
import sys
import time


class Driver:
    def __init__(self, version):
        if len(sys.argv) != 6 or sys.argv[3] not in ("recv", "send", "rtt", "ack"):
            sys.exit(f"usage: {sys.argv[0]} HOST PORT recv|send|rtt|ack COUNT BODYSIZE")
        self.version = version
        self.host = sys.argv[1]
        self.port = int(sys.argv[2])
        self.mode = sys.argv[3]
        self.count = int(sys.argv[4])
        self.size = int(sys.argv[5])
        self.blast = f"/blast/{self.count}/{self.size}"
        self.body = b"x" * self.size
        self.received = 0
        self.received_bytes = 0

    def begin(self):
        self.usage = resource.getrusage(resource.RUSAGE_SELF)
        self.start = time.monotonic()

    def take(self, message_id, body):
        """Looks at what each driver has to look at; true when it was the last one."""
        if not message_id:
            sys.exit("a message without an id")
        self.received += 1
        self.received_bytes += len(body)
        return self.received == self.count

    def report(self, **more):
        seconds = time.monotonic() - self.start
        usage = resource.getrusage(resource.RUSAGE_SELF)
        line = {
            "mode": self.mode,
            "count": self.received if self.mode in ("recv", "ack") else self.count,
            "bytes": self.received_bytes if self.mode in ("recv", "ack") else self.count * self.size,
            "seconds": round(seconds, 6),
            "cpu_user": round(usage.ru_utime - self.usage.ru_utime, 6),
            "cpu_sys": round(usage.ru_stime - self.usage.ru_stime, 6),
            "max_rss_kb": peak_kilobytes(),
            "version": self.version,
        }
        print(json.dumps(line | more), flush=True)


def peak_kilobytes():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0
