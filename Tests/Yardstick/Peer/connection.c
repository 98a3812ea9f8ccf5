// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// Reading, writing and closing. All connections read into one buffer; what is left of a frame that is not complete
// belongs to its connection, so one that is idle holds no more than its structure.
#include "peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum {
    READ_SIZE = 512 * 1024,
    MOVED_LIMIT = 256 * 1024, // a beginning that is longer stays where it is, and the rest is read behind it
    READS_AT_A_TIME = 8,
    WRITES_AT_A_TIME = 64
};

static char input[MOVED_LIMIT + READ_SIZE];
static Connection *connections;

// ---- Coming and going

void open_connection(int descriptor)
{
    static unsigned number;
    Connection *connection = obtain(sizeof *connection);
    connection->descriptor = descriptor;
    connection->number = ++number;
    connection->reads = true;
    connection->next = connections;
    if (connections) connections->previous = connection;
    connections = connection;
    events_add(connection);
}

static void print_counters(const Connection *connection)
{
    const Counters *counters = &connection->counters;
    const struct {
        const char *name;
        uint64_t number;
    } all[] = {
        {"sends", counters->sends}, {"send_bytes", counters->send_bytes}, {"echoes", counters->echoes},
        {"delivered", counters->delivered}, {"delivered_bytes", counters->delivered_bytes},
        {"acks", counters->acks}, {"nacks", counters->nacks}, {"ack_sum", counters->ack_sum},
        {"receipts", counters->receipts}, {"subscribes", counters->subscribes},
        {"unsubscribes", counters->unsubscribes}, {"begins", counters->begins}, {"commits", counters->commits},
        {"aborts", counters->aborts}, {"errors", counters->errors}, {"eols", counters->eols},
        {"beats", counters->beats}, {"reads", counters->reads}, {"writes", counters->writes},
        {"bytes_in", counters->bytes_in}, {"bytes_out", counters->bytes_out},
    };
    int version = connection->version;
    printf("{\"conn\":%u,\"version\":\"%d.%d\"", connection->number, version / 10, version % 10);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) printf(",\"%s\":%" PRIu64, all[i].name, all[i].number);
    printf("}\n");
    fflush(stdout);
}

static void close_connection(Connection *connection)
{
    print_counters(connection);
    events_remove(connection);
    end_beats(connection);
    close(connection->descriptor);
    if (connection->previous) connection->previous->next = connection->next;
    else connections = connection->next;
    if (connection->next) connection->next->previous = connection->previous;
    forget_pushes(connection);
    forget_subscriptions(connection);
    release(&connection->held);
    release(&connection->output);
    free(connection);
}

void close_connections(void)
{
    while (connections) close_connection(connections);
}

// ---- Writing

// True when all is written; false when the socket takes no more now, or it is another's turn.
static bool write_all(Connection *connection, bool *failed)
{
    Counters *counters = &connection->counters;
    for (int turn = 0; turn < WRITES_AT_A_TIME; turn++) {
        // A frame of a block must not be torn by an answer.
        Text text = torn_block(connection);
        bool is_block = text.count > 0;
        if (!is_block && waiting(&connection->output)) {
            text = (Text){connection->output.at + connection->output.start, waiting(&connection->output)};
        } else if (!is_block) {
            text = next_block(connection);
            is_block = true;
            if (!text.count) {
                // What was needed once for many answers is not kept for few.
                if (connection->output.capacity > MOVED_LIMIT) release(&connection->output);
                return true;
            }
        }
        ssize_t count = send(connection->descriptor, text.at, text.count, MSG_NOSIGNAL);
        if (count < 0) {
            if (errno == EINTR) continue;
            *failed = errno != EAGAIN && errno != EWOULDBLOCK;
            return false;
        }
        counters->writes++;
        counters->bytes_out += (uint64_t)count;
        if (is_block) block_written(connection, (size_t)count);
        else connection->output.start += (size_t)count;
    }
    return false;
}

// ---- Reading

// Answers the frames at the beginning, and tells how many bytes they took.
static size_t answer_all(Connection *connection, const char *bytes, size_t count)
{
    size_t at = 0;
    while (!connection->leaving && waiting(&connection->output) <= OUTPUT_LIMIT) {
        Request request;
        size_t taken = 0;
        while (at < count && (bytes[at] == '\n' || bytes[at] == '\r')) {
            at++;
            connection->counters.eols++;
        }
        if (at == count) return at;
        Parsed parsed = parse(connection, (Text){bytes + at, count - at}, &request, &taken);
        if (parsed == INCOMPLETE) return at;
        if (parsed == MALFORMED) {
            refuse(connection, "malformed frame");
            return count;
        }
        at += taken;
        answer(connection, &request);
    }
    return connection->leaving ? count : at;
}

// Goes on with what is held, which answers that waited have kept from being looked at.
static void answer_held(Connection *connection)
{
    Bytes *held = &connection->held;
    held->start += answer_all(connection, held->at + held->start, waiting(held));
    if (!waiting(held)) release(held);
}

// One read behind what is held; false if nothing more can be read now.
static bool read_more(Connection *connection, bool *failed)
{
    Bytes *held = &connection->held;
    size_t before = waiting(held), room = READ_SIZE;
    bool moves = before <= MOVED_LIMIT;
    char *to = input;
    if (moves) {
        if (before) memcpy(input, held->at + held->start, before);
    } else {
        if (connection->needed > before) room = connection->needed - before;
        reserve(held, room);
        to = held->at + held->start;
    }
    ssize_t count = read(connection->descriptor, to + before, room);
    if (count < 0) {
        if (errno == EINTR) return true;
        *failed = errno != EAGAIN && errno != EWOULDBLOCK;
        return false;
    }
    if (!count) {
        connection->at_end = true;
        return false;
    }
    connection->counters.reads++;
    connection->counters.bytes_in += (uint64_t)count;
    size_t all = before + (size_t)count;
    if (moves) {
        size_t taken = answer_all(connection, input, all);
        held->start = held->end = 0;
        if (taken < all) append(held, input + taken, all - taken);
        else release(held);
    } else {
        held->end += (size_t)count;
        answer_held(connection);
    }
    return (size_t)count == room;
}

// Answers may have kept frames that are held from being looked at; true if some have now been.
static bool has_gone_on(Connection *connection)
{
    if (!waiting(&connection->held) || connection->needed || connection->searched) return false;
    answer_held(connection);
    return waiting(&connection->output) || connection->pushes;
}

void serve(Connection *connection, bool readable)
{
    bool failed = false, done = false;
    uint64_t writes = connection->counters.writes;
    for (int turn = 0; readable && turn < READS_AT_A_TIME && waiting(&connection->output) <= OUTPUT_LIMIT; turn++)
        if (connection->at_end || !read_more(connection, &failed)) break;
    while (!failed) {
        done = write_all(connection, &failed);
        if (!done || !has_gone_on(connection)) break;
    }
    if (connection->beat_interval && connection->counters.writes > writes) connection->last_write = milliseconds();
    if (failed || (done && connection->at_end)) {
        close_connection(connection);
        return;
    }
    if (done && connection->leaving && !connection->shut) {
        shutdown(connection->descriptor, SHUT_WR);
        connection->shut = true;
    }
    bool reads = !connection->at_end && waiting(&connection->output) <= OUTPUT_LIMIT;
    if (reads != connection->reads || done == connection->writes) {
        connection->reads = reads;
        connection->writes = !done;
        events_change(connection);
    }
}
