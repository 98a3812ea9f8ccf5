// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// MESSAGEs are built once, as a block of whole frames. Only the numbers in it change from one time it is written to the
// next, so that a message costs the peer little more than the system call.
#include "peer.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SIZE = 256 * 1024,              // a block is filled up to this
    SMALL_BLOCK_SIZE = 16 * 1024,         // the same while there are many
    MANY_BLOCKS = 64,
    CYCLE_SIZE_LIMIT = 8 * 1024 * 1024,   // of frames that differ
    ROUND_SIZE_LIMIT = 128 * 1024 * 1024, // one frame for each subscription
    BODY_LIMIT = 128 * 1024 * 1024,
    VARIANT_COUNT = 61,
    HEADER_COUNT_LIMIT = 40
};
static const uint64_t count_limit = 999999999;

// A frame in a block: where its numbers are, and where it ends.
typedef struct {
    uint32_t id, ack, end;
} Frame;

struct Push {
    Push *next;
    Subscription *subscription; // null when nothing more is to be loaded
    uint64_t count;             // of messages for each subscription
    size_t body_count;
    unsigned header_count;      // 0: the usual ones
    unsigned lane_count;        // subscriptions that take turns
    char *block;                // null until it is this push's turn
    Frame *frames;
    size_t frame_count;
    char number[DIGIT_COUNT];   // the last one that was used
    uint64_t left;              // frames that have not been loaded
    size_t loaded_count, loaded_end, written;
};

static unsigned block_count;

// ---- A MESSAGE's headers

static void write_number(char *digits, uint64_t number)
{
    for (int i = DIGIT_COUNT - 1; i >= 0; i--, number /= 10) digits[i] = (char)('0' + number % 10);
}

static void append_pair(Bytes *bytes, const char *name, const char *value)
{
    append_string(bytes, name);
    append(bytes, ":", 1);
    append_string(bytes, value);
    append(bytes, "\n", 1);
}

static size_t append_id(Bytes *bytes, const char *name, const Connection *connection, const Subscription *subscription,
                        const char *digits)
{
    append_string(bytes, name);
    if (ids_have_escapes) {
        const char *colon = connection->version >= 11 ? "\\c" : ":";
        append_string(bytes, ":ID");
        append_string(bytes, colon);
        append_string(bytes, "yardstick-40213-1790000000000-2");
        append_string(bytes, colon);
        append_number(bytes, connection->number);
        append_string(bytes, colon);
        append_string(bytes, "-1");
        append_string(bytes, colon);
        append_string(bytes, "1");
        append_string(bytes, colon);
    } else {
        append_string(bytes, ":T_");
        append_string(bytes, subscription->id);
        append_string(bytes, "@@session-mV4kTz81cXoQe7RwB2yhLg@@");
    }
    size_t at = bytes->end;
    append(bytes, digits, DIGIT_COUNT);
    append(bytes, "\n", 1);
    return at;
}

// A header whose value's length changes with the variant.
static void append_extra(Bytes *bytes, unsigned index, unsigned variant)
{
    static const char letters[] = "x0p4qz9-routing.eu-west/customer=4711;trace=5f3a09c1e8b7d642;v";
    size_t count = 1 + (variant * (index + 3) + index * 17) % (sizeof letters - 2);
    append_string(bytes, "x-header-");
    append_number(bytes, index);
    append(bytes, ":", 1);
    append(bytes, letters, count);
    append(bytes, "\n", 1);
}

Places append_message_head(Bytes *bytes, const Connection *connection, const Subscription *subscription,
                           uint64_t number, size_t body_count, Text content_type, unsigned header_count,
                           unsigned variant)
{
    char digits[DIGIT_COUNT];
    size_t start;
    Places places = {0};
    reserve(bytes, 512);
    start = waiting(bytes);
    write_number(digits, number);
    append(bytes, "MESSAGE\n", 8);
    if (subscription->id[0]) append_pair(bytes, "subscription", subscription->id);
    append_pair(bytes, "destination", subscription->destination);
    places.id = append_id(bytes, "message-id", connection, subscription, digits) - bytes->start - start;
    if (subscription->acknowledges && connection->version >= 12)
        places.ack = append_id(bytes, "ack", connection, subscription, digits) - bytes->start - start;
    if (!header_count)
        append_string(bytes, "redelivered:false\npersistent:true\npriority:4\nexpires:0\ntimestamp:1790000000000\n");
    // Those that differ stand between the usual ones, so that these are found at changing places.
    for (unsigned i = 5; i < header_count; i++) append_extra(bytes, i - 4, variant);
    if (!header_count || header_count > 4) {
        append_string(bytes, "content-type:");
        append_text(bytes, content_type);
        append(bytes, "\n", 1);
    }
    if (!header_count || header_count > 3) {
        append_string(bytes, "content-length:");
        append_number(bytes, body_count);
        append(bytes, "\n", 1);
    }
    return places;
}

// ---- Blocks

// Lines of text without NULs.
static void append_body(Bytes *bytes, size_t count)
{
    reserve(bytes, count);
    for (size_t i = 0; i < count; i++) bytes->at[bytes->end + i] = i % 72 == 71 ? '\n' : (char)('A' + i % 26);
    bytes->end += count;
}

static void append_frame(Bytes *bytes, Frame *frame, const Connection *connection, const Subscription *subscription,
                         const Push *push, unsigned variant)
{
    size_t start = bytes->end;
    Places places = append_message_head(bytes, connection, subscription, 0, push->body_count, text_of("text/plain"),
                                        push->header_count, variant);
    append(bytes, "\n", 1);
    append_body(bytes, push->body_count);
    append(bytes, "\0\n", 2);
    frame->id = (uint32_t)(start + places.id);
    frame->ack = places.ack ? (uint32_t)(start + places.ack) : 0;
    frame->end = (uint32_t)bytes->end;
}

// Frames that differ, each lane's in turn.
static unsigned variants_of(const Push *push)
{
    if (push->header_count < 6) return 1;
    size_t most = CYCLE_SIZE_LIMIT / ((push->body_count + 1024) * push->lane_count);
    return most < 1 ? 1 : most < VARIANT_COUNT ? (unsigned)most : VARIANT_COUNT;
}

static void build(Connection *connection, Push *push)
{
    Bytes bytes = {0};
    unsigned variant_count = variants_of(push);
    size_t cycle = (size_t)variant_count * push->lane_count, size = BLOCK_SIZE, repetitions;
    Frame *frames = obtain(cycle * sizeof *frames);
    for (unsigned variant = 0, i = 0; variant < variant_count; variant++) {
        const Subscription *lane = push->subscription;
        for (unsigned n = 0; n < push->lane_count; lane = lane->next) {
            if (strcmp(lane->destination, push->subscription->destination)) continue;
            append_frame(&bytes, &frames[i++], connection, lane, push, variant);
            n++;
        }
    }
    if (block_count >= MANY_BLOCKS) size = SMALL_BLOCK_SIZE;
    size_t byte_count = bytes.end, total = push->left;
    repetitions = byte_count >= size ? 1 : size / byte_count;
    if (repetitions > (total + cycle - 1) / cycle) repetitions = (total + cycle - 1) / cycle;
    if (!repetitions) repetitions = 1;

    push->frame_count = cycle * repetitions;
    push->block = repetitions == 1 ? bytes.at : obtain(byte_count * repetitions);
    push->frames = obtain(push->frame_count * sizeof *push->frames);
    for (size_t r = 0; r < repetitions; r++) {
        uint32_t offset = (uint32_t)(r * byte_count);
        if (push->block != bytes.at) memcpy(push->block + offset, bytes.at, byte_count);
        for (size_t i = 0; i < cycle; i++) {
            Frame frame = frames[i];
            push->frames[r * cycle + i] =
                (Frame){frame.id + offset, frame.ack ? frame.ack + offset : 0, frame.end + offset};
        }
    }
    free(frames);
    if (push->block != bytes.at) release(&bytes);
    block_count++;
}

// Adds one to a number that stands there in digits.
static void increase(char *number)
{
    char *digit = number + DIGIT_COUNT - 1;
    while (*digit == '9') *digit-- = '0';
    ++*digit;
}

// Numbers the next frames. Lanes have the same number in turn.
static bool load(Connection *connection, Push *push)
{
    if (!push->subscription || !push->left) return false;
    if (!push->block) build(connection, push);
    size_t count = push->left < push->frame_count ? (size_t)push->left : push->frame_count;
    for (size_t i = 0; i < count;) {
        increase(push->number);
        for (unsigned lane = 0; lane < push->lane_count; lane++, i++) {
            const Frame *frame = &push->frames[i];
            memcpy(push->block + frame->id, push->number, DIGIT_COUNT);
            if (frame->ack) memcpy(push->block + frame->ack, push->number, DIGIT_COUNT);
        }
    }
    push->left -= count;
    push->loaded_count = count;
    push->loaded_end = push->frames[count - 1].end;
    push->written = 0;
    return true;
}

static void forget(Push *push)
{
    if (push->block) block_count--;
    free(push->block);
    free(push->frames);
    free(push);
}

// ---- What a destination asks for

// Takes "/NUMBER" from the front.
static bool take_number(const char **at, uint64_t *number)
{
    if (**at != '/') return false;
    const char *start = *at + 1;
    size_t count = strcspn(start, "/");
    *at = start + count;
    return number_of((Text){start, count}, number);
}

static bool is_below(const char *destination, const char *folder)
{
    return !strncmp(destination, folder, strlen(folder));
}

// The subscriptions to this destination, up to and including this one.
static unsigned lanes(const Connection *connection, const char *destination, Subscription **first)
{
    unsigned count = 0;
    for (Subscription *each = connection->subscriptions; each; each = each->next) {
        if (strcmp(each->destination, destination)) continue;
        if (!count++) *first = each;
    }
    return count;
}

const char *begin_push(Connection *connection, Subscription *subscription)
{
    const char *at = subscription->destination;
    uint64_t lane_count = 1, count, body_count, header_count = 0;
    bool round = is_below(at, "/round/");
    if (!round && !is_below(at, "/blast/")) return NULL;
    at += 6;
    if (round && !take_number(&at, &lane_count)) return "malformed destination";
    if (!take_number(&at, &count) || !take_number(&at, &body_count)) return "malformed destination";
    if (*at && (!take_number(&at, &header_count) || header_count < 3 || header_count > HEADER_COUNT_LIMIT))
        return "malformed destination";
    if (*at || !lane_count || lane_count > SUBSCRIPTION_LIMIT) return "malformed destination";
    if (count > count_limit || body_count > BODY_LIMIT || (body_count + 1024) * lane_count > ROUND_SIZE_LIMIT + 1024)
        return "too much is asked for";

    Subscription *first = subscription;
    if (round) {
        unsigned subscribed = lanes(connection, subscription->destination, &first);
        if (subscribed > lane_count) return "too many subscriptions in a round";
        if (subscribed < lane_count) return NULL;
    }
    if (!count) return NULL;
    Push *push = obtain(sizeof *push), **link = &connection->pushes;
    push->subscription = first;
    push->count = count;
    push->body_count = (size_t)body_count;
    push->header_count = (unsigned)header_count;
    push->lane_count = (unsigned)lane_count;
    push->left = count * lane_count;
    memset(push->number, '0', DIGIT_COUNT);
    while (*link) link = &(*link)->next;
    *link = push;
    return NULL;
}

void end_pushes(Connection *connection, const Subscription *subscription)
{
    for (Push *push = connection->pushes; push; push = push->next) {
        if (!push->subscription) continue;
        // A round ends with any of its subscriptions.
        if (push->subscription == subscription ||
            (push->lane_count > 1 && !strcmp(push->subscription->destination, subscription->destination)))
            push->subscription = NULL;
    }
}

void forget_pushes(Connection *connection)
{
    while (connection->pushes) {
        Push *push = connection->pushes;
        connection->pushes = push->next;
        forget(push);
    }
}

// ---- Writing

Text torn_block(const Connection *connection)
{
    const Push *push = connection->pushes;
    if (!push || !push->written || push->written == push->loaded_end) return (Text){0};
    return (Text){push->block + push->written, push->loaded_end - push->written};
}

Text next_block(Connection *connection)
{
    while (connection->pushes) {
        Push *push = connection->pushes;
        if (push->written < push->loaded_end || load(connection, push))
            return (Text){push->block + push->written, push->loaded_end - push->written};
        connection->pushes = push->next;
        forget(push);
    }
    return (Text){0};
}

void block_written(Connection *connection, size_t count)
{
    Push *push = connection->pushes;
    push->written += count;
    if (push->written < push->loaded_end) return;
    connection->counters.delivered += push->loaded_count;
    connection->counters.delivered_bytes += push->loaded_count * push->body_count;
}
