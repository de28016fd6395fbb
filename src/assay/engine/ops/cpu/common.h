// What all kernels share: number formats, the thread count, and how work is handed to threads.
//
// A `word` is 32 bits along the inner dimension of a product: two bfloat16 or four int8. Weights, keys and
// values are packed so that one instruction multiplies a word of 16 columns at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <omp.h>

using bf16 = uint16_t;
using word = uint32_t;

constexpr int LANES = 16;   // 32-bit lanes of a 512-bit register
constexpr int PANEL = 64;   // columns of a packed panel: four registers
constexpr int HALF = PANEL / 2;
constexpr int SIDE = 16;    // rows, steps and columns of an AMX tile

// What multiplies: each set can what those before it can, and gives the same answers.
enum class InstructionSet { portable, avx512, amx };

extern int num_threads;                  // set by assay_configure, as is the rest
extern InstructionSet instruction_set;
extern int tiles_from[2];                // AMX: fewest rows of a group that tiles multiply, in bfloat16 and in int8

inline float to_float(bf16 value) {
    uint32_t bits = uint32_t(value) << 16;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

// Round to nearest even, as the hardware and PyTorch do. Values here are finite.
inline bf16 to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bf16((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// e^x for x <= 88, relative error below 2e-7; vectorised by the compiler. Below -87 it is about 1e-38.
inline float fast_exp(float x) {
    x = x < -87.0f ? -87.0f : x;
    const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
    float shifted = x * 1.44269504f + shifter;
    float whole = shifted - shifter;
    float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // x - whole * ln 2, in two parts
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    uint32_t bits;
    std::memcpy(&bits, &shifted, 4);
    bits = (bits << 23) + 0x3f800000u;  // 2^whole: the low bits of `shifted` count
    float scale;
    std::memcpy(&scale, &bits, 4);
    return p * scale;
}

inline float silu(float x) {
    float limited = x < -80.0f ? -80.0f : x;
    return x / (1.0f + fast_exp(-limited));
}

constexpr int SPREAD_PARTS = 64;

// Sums and differences of RADIX numbers `run` apart, for each number of a Vector (or float) at `at`.
template <int RADIX, class Vector>
inline void butterfly(float* at, int run) {
    Vector v[RADIX];
#pragma GCC unroll 8
    for (int k = 0; k < RADIX; ++k) std::memcpy(&v[k], at + k * run, sizeof(Vector));
#pragma GCC unroll 4
    for (int half = 1; half < RADIX; half *= 2)
#pragma GCC unroll 8
        for (int k = 0; k < RADIX; ++k)
            if (!(k & half)) {
                const Vector a = v[k], b = v[k + half];
                v[k] = a + b;
                v[k + half] = a - b;
            }
#pragma GCC unroll 8
    for (int k = 0; k < RADIX; ++k) std::memcpy(at + k * run, &v[k], sizeof(Vector));
}

template <int RADIX>
inline void butterflies(float* row, int run, int count) {
    typedef float Sixteen __attribute__((vector_size(64)));
    typedef float Eight __attribute__((vector_size(32)));
    for (int group = 0; group < count; ++group, row += RADIX * run) {
        int i = 0;
        for (; i + 16 <= run; i += 16) butterfly<RADIX, Sixteen>(row + i, run);
        for (; i + 8 <= run; i += 8) butterfly<RADIX, Eight>(row + i, run);
        for (; i < run; ++i) butterfly<RADIX, float>(row + i, run);
    }
}

// The row, cut into equal parts (a power of two), times a Hadamard matrix over the parts, in place; gives the number of
// parts, whose root the result is too large by. Products of spread rows are those of the rows, but one outlier is
// shared by many numbers, so that rounding to 8 bits costs the others less. Three levels a pass: memory is the cost.
inline int spread(float* row, int width) {
    int parts = 1;
    while (parts < SPREAD_PARTS && width % (2 * parts) == 0) parts *= 2;
    int run = width / parts, left = parts;
    for (; left >= 8; left /= 8, run *= 8) butterflies<8>(row, run, left / 8);
    if (left == 4) butterflies<4>(row, run, 1);
    if (left == 2) butterflies<2>(row, run, 1);
    return parts;
}

// The largest magnitude, above 0; NaN for a row that holds one, so that its scale spoils what is computed from it. As
// whole numbers, because magnitudes of floats order like their bits, NaN last, and that vectorises.
inline float largest_of(const float* row, int width) {
    uint32_t largest = 0;
    for (int i = 0; i < width; ++i) {
        uint32_t bits;
        std::memcpy(&bits, row + i, 4);
        largest = std::max(largest, bits & 0x7fffffffu);
    }
    float out;
    std::memcpy(&out, &largest, 4);
    return out > 1e-12f || out != out ? out : 1e-12f;
}

// 1 / root mean square of a row
inline float inverse_rms(const float* row, int width, float eps) {
    float sums[LANES] = {};
    int i = 0;
    for (; i + LANES <= width; i += LANES)
        for (int j = 0; j < LANES; ++j) sums[j] += row[i + j] * row[i + j];
    float square = 0;
    for (float s : sums) square += s;
    for (; i < width; ++i) square += row[i] * row[i];
    return 1.0f / std::sqrt(square / width + eps);
}

// Run body(i, last) for i in 0..count on all threads. A thread takes runs of neighbours, long ones first, so
// that what it reads next is usually what lies next; `last` ends its run.
template <class Body>
void share(int64_t count, Body body) {
    std::atomic<int64_t> next{0};
#pragma omp parallel num_threads(num_threads)
    {
        const int64_t threads = omp_get_num_threads();
        int64_t begin = next.load();
        while (begin < count) {
            int64_t run = (count - begin) / (4 * threads);
            int64_t end = begin + (run < 1 ? 1 : run);
            if (!next.compare_exchange_weak(begin, end)) continue;
            for (int64_t i = begin; i < end; ++i) body(i, i + 1 == end);
            begin = next.load();
        }
    }
}

constexpr int64_t WORTH_THREADS = 1 << 16;  // numbers: work of some 10 to 40 us

// The same for items that touch `numbers` numbers each. Little work is done by the calling thread alone: the others
// must be waited for, and where foreign processes want the cores too that takes a millisecond, not a microsecond.
template <class Body>
void share_numbers(int64_t count, int64_t numbers, Body body) {
    if (count * numbers >= WORTH_THREADS) return share(count, body);
    for (int64_t i = 0; i < count; ++i) body(i, i + 1 == count);
}
