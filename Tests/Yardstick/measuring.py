# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""Runs drivers against the peer, and believes only what the peer has counted."""

import datetime
import json
import os
import platform
import queue
import re
import signal
import statistics
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "swift-stomp-yardstick")
MODES = ("recv", "send", "ack", "rtt")
MOST_BYTES = 8 << 30
MOST_MESSAGES = 20_000_000


class Failure(Exception):
    """A run that did not do what it had to, and why."""


# ---- Processors


def processors():
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def bound_to(cpus):
    """What a child does before it becomes the program: to be found on these processors only."""
    return (lambda: os.sched_setaffinity(0, cpus)) if cpus else None


# ---- The peer


class Peer:
    """The peer on a free port, on the last processor; clients have the others."""

    def __init__(self, program, *options):
        self.cpus, self.others = processors()[-1:], processors()[:-1]
        self.process = subprocess.Popen(
            [program, "-p", "0", *options], stdout=subprocess.PIPE, text=True, preexec_fn=bound_to(self.cpus)
        )
        first = self.process.stdout.readline()
        if not re.fullmatch(r"listening on 127\.0\.0\.1 port \d+\n", first):
            self.process.kill()
            raise Failure(f"the peer says: {first!r}")
        self.port = int(first.split()[-1])
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self):
        while not self.lines.empty():
            self.lines.get()

    def counters(self):
        """Those of all connections that have ended since the last time, added up."""
        counted = {}
        try:
            line = self.lines.get(timeout=5)
            while True:
                for name, number in line.items():
                    if isinstance(number, int):
                        counted[name] = counted.get(name, 0) + number
                line = self.lines.get(timeout=0.05)
        except queue.Empty:
            return counted


# ---- One run


def run(command, limit, cpus=None, environment=None):
    """The line of JSON that this command prints. One that is not done within the limit is ended."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=bound_to(cpus),
        env=environment,
        cwd="/",
    )
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failure(f"not done in {limit:.0f} s") from None
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    lines = output.strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        said = (errors or output).strip().splitlines()
        how = f"ended by signal {-process.returncode}" if process.returncode < 0 else f"exit {process.returncode}"
        raise Failure(f"{how}: {said[-1][:160]}" if said else how) from None


def expected(mode, count, size, note):
    if mode == "recv":
        return {"delivered": count, "delivered_bytes": count * size}
    if mode == "send":
        return {"sends": count + 1, "send_bytes": count * size}
    if mode == "rtt":
        wanted = {"sends": count, "send_bytes": count * size}
        return wanted | ({"echoes": count} if note == "echo" else {})
    return {"acks": count, "ack_sum": count * (count + 1) // 2}


def contract_run(command, peer, mode, count, size, limit, environment=None):
    """One run by the drivers' contract, checked by the peer's counters."""
    peer.forget()
    cpus = peer.cpus if mode == "rtt" else peer.others
    line = run([*command, "127.0.0.1", str(peer.port), mode, str(count), str(size)], limit, cpus, environment)
    counted = peer.counters()
    wanted = expected(mode, count, size, line.get("note"))
    for name, number in wanted.items():
        # A driver may have sent what the driver's contract does not count.
        if counted.get(name, 0) != number:
            raise Failure(f"the peer has counted {name} {counted.get(name, 0)}, not {number}")
    if mode == "rtt" and line.get("note") != "echo" and counted.get("receipts", 0) < count:
        raise Failure(f"the peer has given {counted.get('receipts', 0)} receipts, not {count}")
    if counted.get("errors"):
        raise Failure("the peer has sent ERROR")
    if line["count"] != count or line["bytes"] != count * size:
        raise Failure(f"{line['count']} messages with {line['bytes']} bytes")
    return line


def calibrated(command, peer, mode, size, seconds, limit):
    """How many messages take about so many seconds."""
    count, most = 50, max(4, min(MOST_MESSAGES, MOST_BYTES // max(size, 1)))
    while True:
        count = min(count, most)
        took = contract_run(command, peer, mode, count, size, limit)["seconds"]
        if count == most or took >= seconds / 10:
            break
        # What takes too little time says little of how long more would.
        count = int(count * min(50, max(4, seconds / 5 / max(took, 1e-5))))
    return max(4, min(most, int(count * seconds / max(took, 1e-5))))


# ---- Medians


def median_line(lines):
    """The line of a run that stands for these: each time is the median of theirs, by message, since counts differ."""
    line = dict(lines[0])
    for name in ("seconds", "cpu_user", "cpu_sys"):
        line[name] = round(statistics.median(each[name] / each["count"] for each in lines) * line["count"], 6)
    for name in ("max_rss_kb", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "rss_bytes_each"):
        if all(name in each for each in lines):
            line[name] = round(statistics.median(each[name] for each in lines), 2)
    line["rounds"] = len(lines)
    return line


def rate(line):
    return line["count"] / line["seconds"] if line.get("seconds") else 0


def cpu(line):
    """Nanoseconds of processor time for each message."""
    return (line["cpu_user"] + line["cpu_sys"]) / line["count"] * 1e9


# ---- The machine


def machine():
    """Its kind; no name that tells one machine from another."""
    model, memory = platform.machine(), ""
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    try:
        with open("/proc/meminfo") as file:
            kilobytes = next(int(line.split()[1]) for line in file if line.startswith("MemTotal:"))
            memory = f", {kilobytes / (1 << 20):.0f} GiB"
    except (OSError, StopIteration):
        pass
    virtual = ", virtual" if _is_virtual() else ""
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{model}, {len(processors()) or os.cpu_count()} cores{memory}{virtual}, {platform.system()} {kernel}"


def _is_virtual():
    try:
        with open("/proc/cpuinfo") as file:
            return any(line.startswith("flags") and " hypervisor" in line for line in file)
    except OSError:
        return False


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
        return done.stdout.strip().splitlines()[0] if done.returncode == 0 else ""
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


# ---- Building


def build(folder):
    """The peer, the yardsticks in C, and stomp-bench; answers where that is."""
    subprocess.run([os.path.join(HERE, "build"), folder], check=True)
    subprocess.run(["swift", "build", "-c", "release", "--product", "stomp-bench"], check=True, cwd=REPOSITORY)
    path = first_line("swift", "build", "-c", "release", "--show-bin-path")
    return os.path.join(path, "stomp-bench")


def version_of_ours():
    return first_line("git", "log", "-1", "--format=%h", "--", "Sources", "Package.swift") or "unknown"


def settle(seconds=0.2):
    """Lets the one before end, so that it does not take the next one's time."""
    time.sleep(seconds)
