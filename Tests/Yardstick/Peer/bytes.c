// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
#include "peer.h"

#include <stdlib.h>
#include <string.h>

void *obtain(size_t count)
{
    void *memory = calloc(1, count ? count : 1);
    if (!memory) give_up("memory");
    return memory;
}

char *copy_of(Text text)
{
    char *copy = obtain(text.count + 1);
    if (text.count) memcpy(copy, text.at, text.count);
    return copy;
}

void reserve(Bytes *bytes, size_t count)
{
    if (bytes->start == bytes->end) bytes->start = bytes->end = 0;
    if (bytes->capacity - bytes->end >= count) return;
    size_t kept = waiting(bytes), capacity = bytes->capacity ? bytes->capacity : 1024;
    if (bytes->start) {
        memmove(bytes->at, bytes->at + bytes->start, kept);
        bytes->start = 0;
        bytes->end = kept;
    }
    while (capacity - kept < count) capacity *= 2;
    if (capacity == bytes->capacity) return;
    char *moved = realloc(bytes->at, capacity);
    if (!moved) give_up("memory");
    bytes->at = moved;
    bytes->capacity = capacity;
}

void append(Bytes *bytes, const void *from, size_t count)
{
    if (!count) return;
    reserve(bytes, count);
    memcpy(bytes->at + bytes->end, from, count);
    bytes->end += count;
}

void append_string(Bytes *bytes, const char *string) { append(bytes, string, strlen(string)); }

void append_text(Bytes *bytes, Text text) { append(bytes, text.at, text.count); }

void append_number(Bytes *bytes, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    append(bytes, digits + at, sizeof digits - at);
}

void release(Bytes *bytes)
{
    free(bytes->at);
    *bytes = (Bytes){0};
}
