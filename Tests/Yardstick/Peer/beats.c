// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// A wheel: each connection that wants beats is in the slot of the tick at which its next one is due, so a tick looks at
// few of ten thousand.
#include "peer.h"

#include <sys/socket.h>
#include <time.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum { SLOT_COUNT = 1024, TICK = 16 /* ms */ };

static Connection *slots[SLOT_COUNT];
static unsigned beating;
static int64_t last_tick;

int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void unlink_beat(Connection *connection)
{
    if (!connection->beat_link) return;
    *connection->beat_link = connection->beat_next;
    if (connection->beat_next) connection->beat_next->beat_link = connection->beat_link;
    connection->beat_link = NULL;
    connection->beat_next = NULL;
}

static void link_beat(Connection *connection, int64_t due)
{
    connection->beat_tick = (due + TICK - 1) / TICK;
    if (connection->beat_tick <= last_tick) connection->beat_tick = last_tick + 1;
    Connection **slot = &slots[connection->beat_tick % SLOT_COUNT];
    connection->beat_next = *slot;
    connection->beat_link = slot;
    if (*slot) (*slot)->beat_link = &connection->beat_next;
    *slot = connection;
}

void begin_beats(Connection *connection, int64_t interval)
{
    int64_t now = milliseconds();
    if (!beating++) last_tick = now / TICK;
    connection->beat_interval = interval;
    connection->last_write = now;
    link_beat(connection, now + interval);
}

void end_beats(Connection *connection)
{
    if (!connection->beat_interval) return;
    unlink_beat(connection);
    connection->beat_interval = 0;
    beating--;
}

static void beat_one(Connection *connection, int64_t now)
{
    int64_t due = connection->last_write + connection->beat_interval;
    if (due <= now) {
        // Never inside a frame, and what waits to be written is as good.
        bool idle = !connection->pushes && !waiting(&connection->output) && !connection->shut;
        if (idle && send(connection->descriptor, "\n", 1, MSG_NOSIGNAL) == 1) connection->counters.beats++;
        connection->last_write = now;
        due = now + connection->beat_interval;
    }
    link_beat(connection, due);
}

void beat(int64_t now)
{
    if (!beating) return;
    int64_t tick = now / TICK;
    // After a long pause each slot is looked at once.
    if (tick - last_tick > SLOT_COUNT) last_tick = tick - SLOT_COUNT;
    while (last_tick < tick) {
        Connection *each = slots[++last_tick % SLOT_COUNT], *next;
        for (; each; each = next) {
            next = each->beat_next;
            if (each->beat_tick > tick) continue;
            unlink_beat(each);
            beat_one(each, now);
        }
    }
}

int64_t until_beat(int64_t now, int64_t limit)
{
    if (!beating) return limit;
    int64_t pause = (now / TICK + 1) * TICK - now;
    return pause < limit ? pause : limit;
}
