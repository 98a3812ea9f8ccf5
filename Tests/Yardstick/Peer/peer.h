// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// What the peer's parts share. What it does is said in peer.c.
#ifndef YARDSTICK_PEER_H
#define YARDSTICK_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    HEAD_LIMIT = 64 * 1024,          // command and headers of a frame from the client
    FRAME_LIMIT = 256 * 1024 * 1024, // a whole one
    OUTPUT_LIMIT = 16 * 1024 * 1024, // no frame is looked at while more than this waits to be written
    ECHO_LIMIT = 256 * 1024 * 1024,  // all copies of one echoed message
    SUBSCRIPTION_LIMIT = 4096,       // of a connection
    NAME_LIMIT = 1024,               // an id or a destination of those
    DIGIT_COUNT = 10                 // of the number at the end of a message id
};

// Bytes that belong to somebody else.
typedef struct {
    const char *at;
    size_t count;
} Text;

// Bytes of one's own: those from `start` on count, and `end` is where more are added.
typedef struct {
    char *at;
    size_t start, end, capacity;
} Bytes;

typedef struct Subscription {
    struct Subscription *next;
    char *id;          // "" if the client gave none
    char *destination;
    bool acknowledges; // any mode but auto
} Subscription;

typedef struct Push Push;

typedef struct {
    uint64_t sends, send_bytes, echoes, delivered, delivered_bytes, acks, nacks, ack_sum, receipts;
    uint64_t subscribes, unsubscribes, begins, commits, aborts, errors, eols, beats;
    uint64_t reads, writes, bytes_in, bytes_out;
} Counters;

typedef struct Connection {
    struct Connection *next, *previous;
    int descriptor;
    int index;               // its place among what poll() watches
    unsigned number;
    int version;             // 0 before CONNECTED, then 10, 11 or 12
    bool leaving;            // after DISCONNECT or ERROR: nothing more is looked at
    bool at_end;             // the client has closed its side
    bool shut;               // we have closed ours
    bool reads, writes;      // what is watched
    Bytes held;              // the beginning of a frame whose rest has not come
    size_t needed;           // bytes that this frame takes, if known
    size_t searched;         // bytes of it that are known to hold no NUL behind the headers
    Bytes output;            // answers
    Subscription *subscriptions;
    unsigned subscription_count;
    Push *pushes;            // the first one is under way
    int64_t beat_interval;   // ms; 0: none
    int64_t last_write, beat_tick;
    struct Connection *beat_next, **beat_link;
    Counters counters;
} Connection;

// ---- bytes.c

void *obtain(size_t count);
char *copy_of(Text text);
void reserve(Bytes *bytes, size_t count);
void append(Bytes *bytes, const void *from, size_t count);
void append_string(Bytes *bytes, const char *string);
void append_text(Bytes *bytes, Text text);
void append_number(Bytes *bytes, uint64_t number);
void release(Bytes *bytes);
static inline size_t waiting(const Bytes *bytes) { return bytes->end - bytes->start; }

// Inlined, since they are asked for each frame.
static inline Text text_of(const char *string) { return (Text){string, strlen(string)}; }

static inline bool equal(Text text, const char *string)
{
    return text.at && text.count == strlen(string) && !memcmp(text.at, string, text.count);
}

static inline bool starts_with(Text text, const char *string)
{
    return text.at && text.count >= strlen(string) && !memcmp(text.at, string, strlen(string));
}

// The number that these digits are, at most nine of them.
static inline bool number_of(Text digits, uint64_t *number)
{
    uint64_t sum = 0;
    if (!digits.at || !digits.count || digits.count > 9) return false;
    for (size_t i = 0; i < digits.count; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9') return false;
        sum = sum * 10 + (uint64_t)(digits.at[i] - '0');
    }
    *number = sum;
    return true;
}

// ---- request.c

typedef enum {
    ID, ACK, RECEIPT, MESSAGE_ID, HEART_BEAT, DESTINATION, CONTENT_TYPE, ACCEPT_VERSION, CONTENT_LENGTH, FIELD_COUNT
} Field;

// A frame from the client.
typedef struct {
    Text command, body;
    unsigned present;         // a bit for each field that it has
    Text fields[FIELD_COUNT]; // the others are not set
} Request;

// Null if the frame does not have it.
static inline Text field(const Request *request, Field which)
{
    return request->present & 1u << which ? request->fields[which] : (Text){0};
}

typedef enum { COMPLETE, INCOMPLETE, MALFORMED } Parsed;

// Looks at the frame at the beginning of these bytes. `byte_count` is set if it is complete.
Parsed parse(Connection *connection, Text bytes, Request *request, size_t *byte_count);

// ---- answer.c

void answer(Connection *connection, const Request *request);
void refuse(Connection *connection, const char *why);
void forget_subscriptions(Connection *connection);

// ---- push.c

// Where the number stands in a MESSAGE, from its first byte on.
typedef struct {
    size_t id, ack; // ack is 0 where there is none
} Places;

// Appends a MESSAGE's command and headers without the blank line: `header_count` of them (0: the usual ten), plus `ack`
// where the client acknowledges by it. `variant` chooses the lengths of the values where the number is given.
Places append_message_head(Bytes *bytes, const Connection *connection, const Subscription *subscription,
                           uint64_t number, size_t body_count, Text content_type, unsigned header_count,
                           unsigned variant);

// Starts what the destination asks for, if it asks for anything; an answer that is not null says what is wrong with it.
const char *begin_push(Connection *connection, Subscription *subscription);
void end_pushes(Connection *connection, const Subscription *subscription);
void forget_pushes(Connection *connection);
// The rest of the block that is under way.
Text torn_block(const Connection *connection);
// The next block; empty if nothing is to be pushed.
Text next_block(Connection *connection);
void block_written(Connection *connection, size_t count);

// ---- beats.c

extern bool beats_are_wanted;
int64_t milliseconds(void);
void begin_beats(Connection *connection, int64_t interval);
void end_beats(Connection *connection);
// Sends those that are due.
void beat(int64_t now);
// How long to wait for the next ones at most, in ms.
int64_t until_beat(int64_t now, int64_t limit);

// ---- events.c

void events_begin(int listener);
void events_add(Connection *connection);
void events_change(Connection *connection);
void events_remove(Connection *connection);
// Waits for at most so many ms, then calls `accept_all`, or `serve` for each connection on which something happened.
void events_wait(int64_t limit, void (*accept_all)(void), void (*serve)(Connection *connection, bool readable));

// ---- connection.c

void open_connection(int descriptor);
void serve(Connection *connection, bool readable);
void close_connections(void);

// ---- peer.c

extern bool ids_have_escapes;
void give_up(const char *what);

#endif
