// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// The broker's part of a workload, with no more of STOMP than it needs: bodies have no NUL, ids end in ten digits.
#define _GNU_SOURCE // memmem
#include "WorkBudgetPeer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 128 * 1024, DIGITS = 10 };

struct budget_peer {
    char *bytes;
    size_t byte_count, capacity;
    char *answers;
    size_t answer_count, answer_capacity;
    uint64_t send_count, send_byte_count, ack_count, ack_sum;
};

static void *grown(void *memory, size_t *capacity, size_t needed) {
    if (needed <= *capacity) return memory;
    *capacity = needed * 2;
    memory = realloc(memory, *capacity);
    if (memory == NULL) abort();
    return memory;
}

budget_peer *budget_peer_make(void) {
    budget_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) abort();
    return peer;
}

void *budget_peer_room(budget_peer *peer, size_t *count) {
    peer->bytes = grown(peer->bytes, &peer->capacity, peer->byte_count + ROOM);
    *count = ROOM;
    return peer->bytes + peer->byte_count;
}

static void answer(budget_peer *peer, const char *start, const char *middle, size_t count) {
    size_t start_count = strlen(start);
    peer->answers = grown(peer->answers, &peer->answer_capacity, peer->answer_count + start_count + count + 3);
    char *to = peer->answers + peer->answer_count;
    memcpy(to, start, start_count);
    memcpy(to + start_count, middle, count);
    memcpy(to + start_count + count, "\n\n", 3);
    peer->answer_count += start_count + count + 3;
}

/// The value of a header in a frame whose headers end at `end`.
static const char *value(const char *frame, const char *end, const char *name, size_t *count) {
    size_t name_count = strlen(name);
    const char *line = memchr(frame, '\n', (size_t)(end - frame));
    while (line != NULL && line < end) {
        const char *start = ++line;
        const char *next = memchr(start, '\n', (size_t)(end - start));
        if (next == NULL) next = end;
        if ((size_t)(next - start) > name_count && memcmp(start, name, name_count) == 0 && start[name_count] == ':') {
            *count = (size_t)(next - start) - name_count - 1;
            return start + name_count + 1;
        }
        line = next;
    }
    return NULL;
}

static uint64_t number(const char *digits) {
    uint64_t result = 0;
    for (int i = 0; i < DIGITS; i++) result = result * 10 + (uint64_t)(digits[i] - '0');
    return result;
}

static void take(budget_peer *peer, const char *frame, const char *end) {
    const char *blank = memmem(frame, (size_t)(end - frame), "\n\n", 2);
    if (blank == NULL) return;
    size_t count;
    if (strncmp(frame, "CONNECT\n", 8) == 0) answer(peer, "CONNECTED\nversion:", "1.2", 3);
    if (strncmp(frame, "SEND\n", 5) == 0) {
        peer->send_count++;
        peer->send_byte_count += (uint64_t)(end - blank - 2);
    }
    if (strncmp(frame, "ACK\n", 4) == 0) {
        peer->ack_count++;
        const char *id = value(frame, blank, "id", &count);
        if (id != NULL && count >= DIGITS) peer->ack_sum += number(id + count - DIGITS);
    }
    const char *receipt = value(frame, blank, "receipt", &count);
    if (receipt != NULL) answer(peer, "RECEIPT\nreceipt-id:", receipt, count);
}

void budget_peer_received(budget_peer *peer, size_t count) {
    const char *position = peer->bytes;
    peer->byte_count += count;
    const char *limit = peer->bytes + peer->byte_count;
    while (position < limit) {
        const char *end = memchr(position, 0, (size_t)(limit - position));
        if (end == NULL) break;
        take(peer, position, end);
        position = end + 1;
    }
    peer->byte_count = (size_t)(limit - position);
    memmove(peer->bytes, position, peer->byte_count);
}

const void *budget_peer_answers(budget_peer *peer, size_t *count) {
    *count = peer->answer_count;
    peer->answer_count = 0;
    return peer->answers;
}

uint64_t budget_peer_send_count(const budget_peer *peer) { return peer->send_count; }
uint64_t budget_peer_send_byte_count(const budget_peer *peer) { return peer->send_byte_count; }
uint64_t budget_peer_ack_count(const budget_peer *peer) { return peer->ack_count; }
uint64_t budget_peer_ack_sum(const budget_peer *peer) { return peer->ack_sum; }

bool budget_peer_is_number(const void *id, size_t count, uint64_t expected) {
    return count >= DIGITS && number((const char *)id + count - DIGITS) == expected;
}

void budget_peer_copy(void *to, const void *from, size_t count) { memcpy(to, from, count); }

void budget_peer_fill(void *to, size_t count, bool isLast) {
    memset(to, 'x', count);
    if (isLast && count > 0) ((char *)to)[count - 1] = 0;
}

size_t budget_peer_peak_memory(void) {
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return 0;
    char line[256];
    size_t kilobytes = 0;
    while (fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "VmHWM: %zu kB", &kilobytes) == 1) break;
    }
    fclose(status);
    return kilobytes;
}
