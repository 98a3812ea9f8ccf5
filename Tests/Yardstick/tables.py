# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
"""Markdown out of lines of JSON."""

import measuring

OURS = "swift-stomp"
YARDSTICK = "C, "
TITLES = {
    "recv": "Receive",
    "send": "Send, without receipts",
    "ack": "Receive, and acknowledge each message",
    "rtt": "Send with a receipt, one after the other",
}


def short(number):
    """Three digits that count."""
    for limit, divisor, unit in ((1e6, 1e6, " M"), (1e4, 1e3, " k"), (0, 1, "")):
        if number >= limit:
            value = number / divisor
            return f"{value:.3g}{unit}" if value < 1000 else f"{value:.0f}{unit}"
    return str(number)


def microseconds(nanoseconds):
    value = nanoseconds / 1000
    return f"{value:.3f}" if value < 1 else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def times(ratio):
    return f"{ratio:.2f}x" if ratio < 9.95 else f"{ratio:.0f}x"


def size_text(size):
    for limit, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= limit and size % limit == 0:
            return f"{size // limit} {unit}"
    return f"{size} B"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def unique(values):
    return list(dict.fromkeys(values))


def comparison(lines):
    """Tables of rates and of processor time for each mode; later lines replace earlier ones of the same run."""
    found = {(line["mode"], line["size"], line["client"]): line for line in lines}
    clients = unique(client for _, _, client in found)
    sizes = sorted(unique(size for _, size, _ in found))
    modes = [mode for mode in measuring.MODES if any(mode == each for each, _, _ in found)]
    text = heading(list(found.values()))
    for mode in modes:
        notes = []
        text += f"\n## {TITLES[mode]}\n"
        for title, of in (("messages/s (ours to it)", "rate"), ("CPU µs a message (it to ours)", "cpu")):
            rows = []
            for client in order(clients, found, mode, sizes):
                cells = [cell(found, mode, size, client, of, notes) for size in sizes]
                rows.append([client, *cells])
            text += "\n" + table([title, *(size_text(size) for size in sizes)], rows)
        for line in unique(notes):
            text += f"\n{line}\n"
    return text + memory(found, clients, modes) + behind(found)


def heading(lines):
    dates = unique(line["date"] for line in lines)
    text = "# Against the others\n\n"
    text += f"Measured on {', '.join(dates)}; {'; '.join(unique(line['machine'] for line in lines))}. "
    text += f"Medians of {max(line.get('rounds', 1) for line in lines)} interleaved rounds, TCP on loopback. "
    rounds = max(line.get("rounds", 1) for line in lines)
    modes = ",".join(mode for mode in measuring.MODES if any(mode == line["mode"] for line in lines))
    sizes = ",".join(str(size) for size in sorted(unique(line["size"] for line in lines)))
    text += f"Written by\n\n    Tests/Yardstick/compare --modes {modes} --sizes {sizes} --rounds {rounds}\n"
    text += "\nA yardstick in C is no client: `floor` does the least that any client can do, `parse` plain STOMP work.\n"
    versions = {line["client"]: line["version"] for line in lines if line.get("version")}
    ours = versions.pop(OURS, "")
    text += f"\nswift-stomp is at {ours}. " if ours else "\n"
    text += ", ".join(f"{client} {version}" for client, version in versions.items()) + ".\n"
    return text


def order(clients, found, mode, sizes):
    """Ours, the yardsticks, and the others from the fastest on."""

    def place(client):
        if client == OURS:
            return (0, 0)
        if client.startswith(YARDSTICK):
            return (1, 0)
        line = found.get((mode, sizes[0], client))
        return (2, -measuring.rate(line) if line and "error" not in line else 0)

    return sorted((each for each in clients), key=place)


def cell(found, mode, size, client, of, notes):
    line, ours = found.get((mode, size, client)), found.get((mode, size, OURS))
    if line is None:
        return "–"
    if "error" in line:
        notes.append(f"{client}, {size_text(size)}: {line['error']}.")
        return "failed"
    if line.get("note") == "echo":
        notes.append(f"{client} tells nobody of receipts; its round trip is that of an echoed message.")
    value = short(measuring.rate(line)) if of == "rate" else microseconds(measuring.cpu(line))
    if client == OURS or ours is None or "error" in ours:
        return value
    if of == "rate":
        return f"{value} ({times(measuring.rate(ours) / measuring.rate(line))})"
    mine = measuring.cpu(ours)
    return f"{value} ({times(measuring.cpu(line) / mine)})" if mine else value


def memory(found, clients, modes):
    """The most that any run took."""
    rows = []
    for client in clients:
        peaks = []
        for mode in modes:
            lines = [line for (each, _, name), line in found.items() if (each, name) == (mode, client)]
            peak = max((line["max_rss_kb"] for line in lines if "error" not in line), default=0)
            peaks.append(f"{peak / 1024:.0f}" if peak else "–")
        rows.append([client, *peaks])
    return "\n## Peak memory in MiB, at any size\n\n" + table(["", *modes], rows)


def behind(found):
    """Where another client is as fast as ours, or as cheap."""
    text = ""
    for (mode, size, client), line in found.items():
        ours = found.get((mode, size, OURS))
        if client == OURS or client.startswith(YARDSTICK) or not ours or "error" in ours or "error" in line:
            continue
        what = f"{TITLES[mode]}, {size_text(size)}: {client}"
        if measuring.rate(line) >= measuring.rate(ours):
            text += f"- {what} does {short(measuring.rate(line))}/s, ours {short(measuring.rate(ours))}/s.\n"
        if measuring.cpu(line) <= measuring.cpu(ours):
            text += f"- {what} takes {microseconds(measuring.cpu(line))} µs of CPU, "
            text += f"ours {microseconds(measuring.cpu(ours))} µs.\n"
    return "\n## Where ours is not ahead\n\n" + (text or "Nowhere.\n")
