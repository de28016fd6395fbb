// Keys and values as they are kept: bfloat16, or int8 with a scale for each token and head.
//
// A block holds 16 tokens. Keys: [block][kv head][channel pair][16 tokens] words; values: [block][kv head]
// [token pair][channel] words. So a block of keys is one packed panel of 16 columns for q k^T, and a block of values one
// of C columns for p v. int8 lies in the same order, a byte for a number, and a head's part of a block ends in 16 scales.
//
// Heads are spread (common.h) before they are rounded to int8; queries are spread to meet them, and the sums of values
// once more, which brings them back. bfloat16 holds every number of int8, so that a span at a time is widened for the
// same tile without another error.
#pragma once

#include <vector>

#include "kernels.h"

constexpr int BLOCK = 16;     // tokens of a block
constexpr int SPAN = 128;     // keys that are scored before they are weighed

// Bytes of the keys, or of the values, of one head in a block.
inline int64_t part_bytes(int channels, bool is_int8) {
    return int64_t(channels) * BLOCK * (is_int8 ? 1 : 2) + (is_int8 ? BLOCK * int64_t(sizeof(float)) : 0);
}

// Where a number lies in its part, counted in numbers.
struct KeyPlace {
    int token;
    inline int operator()(int channel) const { return (channel / 2 * BLOCK + token) * 2 + channel % 2; }
};

struct ValuePlace {
    int token, channels;
    inline int operator()(int channel) const { return (token / 2 * channels + channel) * 2 + token % 2; }
};

// Channel i turns with channel i + C/2. turn: [position][C/2 cos, C/2 sin].
inline void rotate(const float* from, const float* turn, int channels, float* to) {
    const int half = channels / 2;
    for (int i = 0; i < half; ++i) {
        to[i] = from[i] * turn[i] - from[i + half] * turn[i + half];
        to[i + half] = from[i + half] * turn[i] + from[i] * turn[i + half];
    }
}

// Keep one head's keys or values, which are spoiled: spreading works in place.
template <class Place>
inline void keep_head(float* head, int channels, bool is_int8, uint8_t* part, Place place) {
    if (!is_int8) {
        bf16* to = reinterpret_cast<bf16*>(part);
        for (int i = 0; i < channels; ++i) to[place(i)] = to_bf16(head[i]);
        return;
    }
    const int parts = spread(head, channels);
    const float most = largest_of(head, channels), inverse = 127.0f / most;
    int8_t* to = reinterpret_cast<int8_t*>(part);
    for (int i = 0; i < channels; ++i) {
        const float value = std::nearbyint(head[i] * inverse);
        to[place(i)] = value == value ? int8_t(value) : 0;  // NaN is no int8_t; the scale tells of it
    }
    // Both sides of a product are too large by the root of `parts`.
    const float scale = most / 127.0f / parts;
    std::memcpy(part + channels * BLOCK + place.token * sizeof(float), &scale, sizeof(float));
}

// Turn and keep one row's keys and values at `place` of block `block`; turned: room for a head.
inline void keep(const float* k, const float* v, const float* turn, const Heads& h, const Cache& cache, int64_t block,
                 int place, float* turned) {
    const int64_t bytes = part_bytes(h.channels, cache.is_int8);
    for (int head = 0; head < h.kv; ++head, k += h.channels, v += h.channels) {
        const int64_t base = (block * h.kv + head) * bytes;
        rotate(k, turn, h.channels, turned);
        keep_head(turned, h.channels, cache.is_int8, cache.keys + base, KeyPlace{place});
        std::copy_n(v, h.channels, turned);
        keep_head(turned, h.channels, cache.is_int8, cache.values + base, ValuePlace{place, h.channels});
    }
}

// Clears the values of one head from token `first` of a block on. They are weighed by nothing, and nothing times a NaN or an
// infinity that another sequence left there is no number.
inline void clear_values(const Heads& h, const Cache& cache, int64_t block, int head, int first) {
    uint8_t* part = cache.values + (block * h.kv + head) * part_bytes(h.channels, cache.is_int8);
    if (cache.is_int8) {
        std::memset(part + h.channels * BLOCK + first * sizeof(float), 0, (BLOCK - first) * sizeof(float));
        return;
    }
    bf16* to = reinterpret_cast<bf16*>(part);
    for (int token = first; token < BLOCK; ++token)
        for (int i = 0; i < h.channels; ++i) to[ValuePlace{token, h.channels}(i)] = 0;
}

// Keys and values of up to SPAN tokens, for one KV head.
struct Span {
    int count = 0;  // blocks
    bool is_int8 = false;
    const word* keys[SPAN / BLOCK];
    const word* values[SPAN / BLOCK];
};

inline Span span_of(const Heads& h, const Cache& cache, const int32_t* blocks, int tokens, int head) {
    Span span;
    span.count = (std::min(SPAN, tokens) + BLOCK - 1) / BLOCK;
    span.is_int8 = cache.is_int8;
    const int64_t bytes = part_bytes(h.channels, cache.is_int8);
    for (int b = 0; b < span.count; ++b) {
        const int64_t place = (int64_t(blocks[b]) * h.kv + head) * bytes;
        span.keys[b] = reinterpret_cast<const word*>(cache.keys + place);
        span.values[b] = reinterpret_cast<const word*>(cache.values + place);
    }
    return span;
}

// A span of int8 as bfloat16, which stays in cache, and its scales; of a span of bfloat16 all scales are 1.
struct Widened {
    alignas(64) float key_scale[SPAN], value_scale[SPAN];
    std::vector<bf16> keys, values;

    // For spans of bfloat16: the room is a thread's, and may have held int8 before.
    void take_ones() { std::fill_n(key_scale, SPAN, 1.0f), std::fill_n(value_scale, SPAN, 1.0f); }

    // Widen `span` and let it lie here; what `next` holds is fetched meanwhile.
    void take(Span& span, int channels, const Span& next) {
        const int numbers = channels * BLOCK;
        keys.resize(SPAN * channels), values.resize(SPAN * channels);
        for (int b = 0; b < span.count; ++b) {
            if (b < next.count) fetch(next.keys[b], channels), fetch(next.values[b], channels);
            span.keys[b] = widen(span.keys[b], numbers, keys.data() + b * numbers, key_scale + b * BLOCK);
            span.values[b] = widen(span.values[b], numbers, values.data() + b * numbers, value_scale + b * BLOCK);
        }
    }

private:
    static void fetch(const word* part, int channels) {
        const char* from = reinterpret_cast<const char*>(part);
        for (int64_t at = 0; at < part_bytes(channels, true); at += 64) __builtin_prefetch(from + at, 0, 2);
    }

    static const word* widen(const word* part, int numbers, bf16* __restrict to, float* __restrict scale) {
        const int8_t* from = reinterpret_cast<const int8_t*>(part);
        for (int i = 0; i < numbers; ++i) {
            const float value = from[i];
            uint32_t bits;
            std::memcpy(&bits, &value, 4);
            to[i] = bf16(bits >> 16);
        }
        std::memcpy(scale, from + numbers, BLOCK * sizeof(float));
        return reinterpret_cast<const word*>(to);
    }
};
