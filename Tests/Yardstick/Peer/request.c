// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
#include "peer.h"

#include <string.h>

// Their lengths tell nearly all of them apart.
static inline Field field_named(const char *name, size_t count)
{
    switch (count) {
    case 2: return memcmp(name, "id", 2) ? FIELD_COUNT : ID;
    case 3: return memcmp(name, "ack", 3) ? FIELD_COUNT : ACK;
    case 7: return memcmp(name, "receipt", 7) ? FIELD_COUNT : RECEIPT;
    case 10:
        if (!memcmp(name, "message-id", 10)) return MESSAGE_ID;
        return memcmp(name, "heart-beat", 10) ? FIELD_COUNT : HEART_BEAT;
    case 11: return memcmp(name, "destination", 11) ? FIELD_COUNT : DESTINATION;
    case 12: return memcmp(name, "content-type", 12) ? FIELD_COUNT : CONTENT_TYPE;
    case 14:
        if (!memcmp(name, "content-length", 14)) return CONTENT_LENGTH;
        return memcmp(name, "accept-version", 14) ? FIELD_COUNT : ACCEPT_VERSION;
    default: return FIELD_COUNT;
    }
}

// Command and headers; afterwards `*at` is behind the blank line.
static Parsed parse_head(const char **at, const char *end, Request *request)
{
    const char *start = *at, *line = start;
    for (;;) {
        const char *eol = memchr(line, '\n', (size_t)(end - line));
        if (!eol) return end - start > HEAD_LIMIT ? MALFORMED : INCOMPLETE;
        if (eol - start > HEAD_LIMIT) return MALFORMED;
        size_t count = (size_t)(eol - line);
        if (count && line[count - 1] == '\r') count--;
        if (line == start) {
            request->command = (Text){line, count};
        } else if (!count) {
            *at = eol + 1;
            // One look at all of it is cheaper than one at each line.
            return memchr(start, 0, (size_t)(eol - start)) ? MALFORMED : COMPLETE;
        } else {
            const char *colon = memchr(line, ':', count);
            if (!colon) return MALFORMED;
            Field field = field_named(line, (size_t)(colon - line));
            // The first of several counts.
            if (field != FIELD_COUNT && !(request->present & 1u << field)) {
                request->present |= 1u << field;
                request->fields[field] = (Text){colon + 1, (size_t)(line + count - colon) - 1};
            }
        }
        line = eol + 1;
    }
}

static Text trimmed(Text text)
{
    while (text.count && text.at[0] == ' ') text.at++, text.count--;
    while (text.count && text.at[text.count - 1] == ' ') text.count--;
    return text;
}

Parsed parse(Connection *connection, Text bytes, Request *request, size_t *byte_count)
{
    if (bytes.count < connection->needed) return INCOMPLETE;
    const char *at = bytes.at, *end = bytes.at + bytes.count;
    request->present = 0;
    Parsed head = parse_head(&at, end, request);
    if (head != COMPLETE) return head;

    size_t head_count = (size_t)(at - bytes.at), body_count;
    if (request->present & 1u << CONTENT_LENGTH) {
        uint64_t length;
        if (!number_of(trimmed(request->fields[CONTENT_LENGTH]), &length)) return MALFORMED;
        if (length > FRAME_LIMIT - HEAD_LIMIT) return MALFORMED;
        body_count = (size_t)length;
        if (bytes.count - head_count <= body_count) {
            connection->needed = head_count + body_count + 1;
            return INCOMPLETE;
        }
        if (at[body_count]) return MALFORMED;
    } else {
        size_t from = connection->searched > head_count ? connection->searched : head_count;
        const char *nul = memchr(bytes.at + from, 0, bytes.count - from);
        if (!nul) {
            connection->searched = bytes.count;
            return bytes.count >= FRAME_LIMIT ? MALFORMED : INCOMPLETE;
        }
        body_count = (size_t)(nul - at);
    }
    request->body = (Text){at, body_count};
    *byte_count = head_count + body_count + 1;
    connection->needed = connection->searched = 0;
    return COMPLETE;
}
