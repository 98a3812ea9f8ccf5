// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.
//
// The scan that the frame parser spends its time in: where, in 64 bytes, are the line feeds,
// the colons and the NULs? Portable C; the vector form is chosen by the compiler's target.
#ifndef STOMP_CSCAN_H
#define STOMP_CSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// The first `byte` in `count` bytes, or NULL.
static inline const void *stomp_find(const void *bytes, uint8_t byte, size_t count) {
    return memchr(bytes, byte, count);
}

/// The longest headers that stomp_has_layout looks at.
enum { STOMP_LAYOUT_LIMIT = 512 };

/// Sixteen bytes that are worked on at once; the compiler knows how on its target.
typedef uint8_t stomp_octets __attribute__((vector_size(16)));

static inline stomp_octets stomp_load(const void *bytes) {
    stomp_octets octets;
    memcpy(&octets, bytes, sizeof octets);
    return octets;
}

/// Whether all bits are zero.
static inline bool stomp_is_zero(stomp_octets octets) {
    uint64_t halves[2];
    memcpy(halves, &octets, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/// What is not as in the text of a layout (see below) in 16 bytes of a frame.
static inline stomp_octets stomp_other(const uint8_t *text, const uint8_t *layout) {
    return stomp_load(text) ^ stomp_load(layout);
}

/// What of that is wrong by the layout: not zero anywhere.
static inline stomp_octets stomp_wrong(const uint8_t *text, const uint8_t *layout, stomp_octets other) {
    stomp_octets here = stomp_load(text), is_fixed = stomp_load(layout + STOMP_LAYOUT_LIMIT);
    stomp_octets is_free = stomp_load(layout + 2 * STOMP_LAYOUT_LIMIT);
    stomp_octets ends = (stomp_octets)(here == '\n') | (stomp_octets)(here == 0);
    return (other & is_fixed) | (ends & is_free);
}

/// stomp_has_layout for 64 bytes.
static inline bool stomp_block_has_layout(const uint8_t *text, const uint8_t *layout) {
    stomp_octets a = stomp_other(text, layout), b = stomp_other(text + 16, layout + 16);
    stomp_octets c = stomp_other(text + 32, layout + 32), d = stomp_other(text + 48, layout + 48);
    if (stomp_is_zero((a | b) | (c | d))) return true;
    // Mostly a counter: the same few bytes in each frame.
    stomp_octets wrong = {0};
    if (!stomp_is_zero(a)) wrong |= stomp_wrong(text, layout, a);
    if (!stomp_is_zero(b)) wrong |= stomp_wrong(text + 16, layout + 16, b);
    if (!stomp_is_zero(c)) wrong |= stomp_wrong(text + 32, layout + 32, c);
    if (!stomp_is_zero(d)) wrong |= stomp_wrong(text + 48, layout + 48, d);
    return stomp_is_zero(wrong);
}

/// Whether `count` bytes equal those of a layout where that is fixed, and have no line feed and no NUL elsewhere.
///
/// `layout` holds three arrays of STOMP_LAYOUT_LIMIT bytes: the text, 0xff where it is fixed, 0xff where it is free.
/// Bytes that are the same as in the text need no other look: that was checked. Below 64 bytes, reads up to the next
/// multiple of 16.
static inline bool stomp_has_layout(const void *bytes, const uint8_t *layout, size_t count) {
    const uint8_t *text = (const uint8_t *)bytes;
    stomp_octets wrong = {0};
    if (count >= 64) {
        // The last block overlaps the one before.
        const size_t last = count - 64;
        for (size_t i = 0; i < last; i += 64) {
            if (!stomp_block_has_layout(text + i, layout + i)) return false;
        }
        return stomp_block_has_layout(text + last, layout + last);
    }
    for (size_t i = 0; i < count; i += sizeof wrong) {
        wrong |= stomp_wrong(text + i, layout + i, stomp_other(text + i, layout + i));
    }
    return stomp_is_zero(wrong);
}

/// Copies `count` bytes, up to 32 of them without a call.
static inline void stomp_copy(void *to, const void *from, size_t count) {
    uint8_t *target = (uint8_t *)to;
    const uint8_t *source = (const uint8_t *)from;
    // Two parts, of which the second overlaps the first.
    if (count >= 16 && count <= 32) {
        stomp_octets first = stomp_load(source), last = stomp_load(source + count - 16);
        memcpy(target, &first, 16);
        memcpy(target + count - 16, &last, 16);
    } else if (count >= 8 && count < 16) {
        uint64_t first, last;
        memcpy(&first, source, 8);
        memcpy(&last, source + count - 8, 8);
        memcpy(target, &first, 8);
        memcpy(target + count - 8, &last, 8);
    } else if (count >= 4 && count < 8) {
        uint32_t first, last;
        memcpy(&first, source, 4);
        memcpy(&last, source + count - 4, 4);
        memcpy(target, &first, 4);
        memcpy(target + count - 4, &last, 4);
    } else if (count < 4) {
        for (size_t i = 0; i < count; i++) target[i] = source[i];
    } else {
        memcpy(target, source, count);
    }
}

/// Not zero where a byte is less than a space, a colon, a backslash or not ASCII.
static inline stomp_octets stomp_special(stomp_octets octets) {
    typedef int8_t numbers __attribute__((vector_size(16)));
    // What is not ASCII is negative.
    return (stomp_octets)((numbers)octets < ' ') | (stomp_octets)(octets == ':') | (stomp_octets)(octets == '\\');
}

/// Copies `count` bytes if none of them is special; else returns false.
static inline bool stomp_copy_plain(void *to, const void *from, size_t count) {
    const uint8_t *source = (const uint8_t *)from;
    stomp_octets special = {0};
    if (count >= 16) {
        const size_t last = count - 16;
        for (size_t i = 0; i < last; i += 16) special |= stomp_special(stomp_load(source + i));
        special |= stomp_special(stomp_load(source + last));
    } else {
        // Twice the same bytes are no matter, and a space is not special.
        typedef uint64_t halves __attribute__((vector_size(16)));
        uint64_t first = 0x2020202020202020, last = first;
        if (count >= 8) {
            memcpy(&first, source, 8);
            memcpy(&last, source + count - 8, 8);
        } else if (count >= 4) {
            memcpy(&first, source, 4);
            memcpy(&last, source + count - 4, 4);
        } else {
            for (size_t i = 0; i < count; i++) first = first << 8 | source[i];
        }
        special = stomp_special((stomp_octets)(halves){first, last});
    }
    if (!stomp_is_zero(special)) return false;
    stomp_copy(to, from, count);
    return true;
}

/// Bit i of each mask belongs to byte i.
typedef struct {
    uint64_t line_feeds;
    uint64_t colons;
    uint64_t nuls;
} stomp_masks;

/// One byte at a time: for targets without the vector form, and the truth that the other is tested against.
static inline stomp_masks stomp_scan64_scalar(const void *block) {
    const uint8_t *bytes = (const uint8_t *)block;
    stomp_masks masks = {0, 0, 0};
    for (int i = 0; i < 64; i++) {
        masks.line_feeds |= (uint64_t)(bytes[i] == '\n') << i;
        masks.colons |= (uint64_t)(bytes[i] == ':') << i;
        masks.nuls |= (uint64_t)(bytes[i] == 0) << i;
    }
    return masks;
}

// STOMP_SCAN_SCALAR: as on a target without the vector form, for tests.
#if defined(STOMP_SCAN_SCALAR)

static inline stomp_masks stomp_scan64(const void *block) { return stomp_scan64_scalar(block); }

#elif defined(__SSE2__)
#include <emmintrin.h>

static inline uint64_t stomp_equal64(__m128i a, __m128i b, __m128i c, __m128i d, __m128i needle) {
    uint64_t w = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, needle));
    uint64_t x = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, needle));
    uint64_t y = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(c, needle));
    uint64_t z = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(d, needle));
    return w | x << 16 | y << 32 | z << 48;
}

/// Reads 64 bytes at `block`, which needs no alignment; the caller guarantees that they are readable.
static inline stomp_masks stomp_scan64(const void *block) {
    const __m128i *lanes = (const __m128i *)block;
    __m128i a = _mm_loadu_si128(lanes), b = _mm_loadu_si128(lanes + 1);
    __m128i c = _mm_loadu_si128(lanes + 2), d = _mm_loadu_si128(lanes + 3);
    stomp_masks masks;
    masks.line_feeds = stomp_equal64(a, b, c, d, _mm_set1_epi8('\n'));
    masks.colons = stomp_equal64(a, b, c, d, _mm_set1_epi8(':'));
    // Headers have no NULs, so that one look at all 64 bytes is nearly always enough.
    __m128i zero = _mm_setzero_si128();
    __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
    masks.nuls = 0;
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(least, zero))) masks.nuls = stomp_equal64(a, b, c, d, zero);
    return masks;
}

#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

static inline uint64_t stomp_equal64(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d, uint8x16_t needle) {
    const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t w = vandq_u8(vceqq_u8(a, needle), weights), x = vandq_u8(vceqq_u8(b, needle), weights);
    uint8x16_t y = vandq_u8(vceqq_u8(c, needle), weights), z = vandq_u8(vceqq_u8(d, needle), weights);
    uint8x16_t sums = vpaddq_u8(vpaddq_u8(w, x), vpaddq_u8(y, z));
    sums = vpaddq_u8(sums, sums);
    return vgetq_lane_u64(vreinterpretq_u64_u8(sums), 0);
}

/// Reads 64 bytes at `block`, which needs no alignment; the caller guarantees that they are readable.
static inline stomp_masks stomp_scan64(const void *block) {
    const uint8_t *bytes = (const uint8_t *)block;
    uint8x16_t a = vld1q_u8(bytes), b = vld1q_u8(bytes + 16), c = vld1q_u8(bytes + 32), d = vld1q_u8(bytes + 48);
    stomp_masks masks;
    masks.line_feeds = stomp_equal64(a, b, c, d, vdupq_n_u8('\n'));
    masks.colons = stomp_equal64(a, b, c, d, vdupq_n_u8(':'));
    masks.nuls = stomp_equal64(a, b, c, d, vdupq_n_u8(0));
    return masks;
}

#else

static inline stomp_masks stomp_scan64(const void *block) { return stomp_scan64_scalar(block); }

#endif
#endif
