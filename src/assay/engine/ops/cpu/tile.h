// The innermost product: MR rows times NR * 16 packed columns, in registers.
//
//   c[m][j] (+)= sum over s < steps of dot(a[m][s], b[s * stride + j])
//
// `dot` multiplies the numbers in two words and adds the products. Two forms with the same answers: AVX-512
// (BF16, VNNI) and portable C++. bfloat16 products may differ in the last bits of a float32 sum; int8 is exact.
#pragma once

#include "common.h"

#if defined(__AVX512F__) && defined(__AVX512BF16__) && defined(__AVX512VNNI__)
#include <immintrin.h>
#define ASSAY_VECTOR 1
#else
#define ASSAY_VECTOR 0
#endif

struct Bf16 {
    using Sum = float;
    static constexpr int per_word = 2;
    static inline float dot(float sum, word a, word b) {
        return sum + to_float(bf16(a)) * to_float(bf16(b)) + to_float(bf16(a >> 16)) * to_float(bf16(b >> 16));
    }
#if ASSAY_VECTOR
    using Register = __m512;
    static inline Register zero() { return _mm512_setzero_ps(); }
    static inline Register load(const float* p) { return _mm512_loadu_ps(p); }
    static inline void store(float* p, Register r) { _mm512_storeu_ps(p, r); }
    static inline Register dot(Register sum, __m512i a, __m512i b) {
        return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
    }
#endif
};

// Rows are unsigned (value + 128), columns signed; the caller takes 128 times the column sums off again.
struct Int8 {
    using Sum = int32_t;
    static constexpr int per_word = 4;
    static inline int32_t dot(int32_t sum, word a, word b) {
        for (int i = 0; i < 32; i += 8) sum += int32_t(uint8_t(a >> i)) * int32_t(int8_t(b >> i));
        return sum;
    }
#if ASSAY_VECTOR
    using Register = __m512i;
    static inline Register zero() { return _mm512_setzero_si512(); }
    static inline Register load(const int32_t* p) { return _mm512_loadu_si512(p); }
    static inline void store(int32_t* p, Register r) { _mm512_storeu_si512(p, r); }
    // Written as assembly: GCC 12 moves and spills the sums around the intrinsic, at a third of the speed.
    static inline Register dot(Register sum, __m512i a, __m512i b) {
        asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
        return sum;
    }
#endif
};

// Where 16 columns of a step of packed weights lie.
struct Panel {
    const word* from;
    inline const word* operator()(int step, int n) const { return from + int64_t(step) * PANEL + n * LANES; }
};

// The same for weights that lie as tiles: blocks of 16 steps, in each four squares of 16 steps x 16 columns.
struct TiledPanel {
    const word* from;
    inline const word* operator()(int step, int n) const {
        return from + step / SIDE * (SIDE * PANEL) + n * (SIDE * LANES) + step % SIDE * LANES;
    }
};

// Brings `lines` lines of 64 bytes into L2 for every 4 steps that a tile computes.
struct Ahead {
    const char* from = nullptr;
    int lines = 0;
    inline void operator()(int step) const {
        const char* here = from + int64_t(step / 4) * lines * 64;
        for (int line = 0; line < lines; ++line) __builtin_prefetch(here + line * 64, 0, 2);
    }
};

template <class Dot, int MR, int NR, class Columns>
inline void tile_portable(const word* const* a, Columns columns, int steps, typename Dot::Sum* c, int64_t ldc,
                          bool add) {
    for (int m = 0; m < MR; ++m) {
        typename Dot::Sum* row = c + m * ldc;
        if (!add)
            for (int j = 0; j < NR * LANES; ++j) row[j] = 0;
        for (int s = 0; s < steps; ++s)
            for (int n = 0; n < NR; ++n)
                for (int j = 0; j < LANES; ++j)
                    row[n * LANES + j] = Dot::dot(row[n * LANES + j], a[m][s], columns(s, n)[j]);
    }
}

#if ASSAY_VECTOR
template <class Dot, int MR, int NR, class Columns, class Fetch>
inline void tile_vector(const word* const* a, Columns columns, int steps, typename Dot::Sum* c, int64_t ldc, bool add,
                        Fetch ahead) {
    const word* rows[MR];
    typename Dot::Register sum[MR][NR];
    for (int m = 0; m < MR; ++m) {
        rows[m] = a[m];
        for (int n = 0; n < NR; ++n) sum[m][n] = add ? Dot::load(c + m * ldc + n * LANES) : Dot::zero();
    }
    auto step = [&](int s) __attribute__((always_inline)) {
        __m512i column[NR];
        for (int n = 0; n < NR; ++n) column[n] = _mm512_loadu_si512(columns(s, n));
        for (int m = 0; m < MR; ++m) {
            __m512i row = _mm512_set1_epi32(int(rows[m][s]));
            for (int n = 0; n < NR; ++n) sum[m][n] = Dot::dot(sum[m][n], row, column[n]);
        }
    };
    int s = 0;
    for (; s + 4 <= steps; s += 4) {
        ahead(s);
        step(s);
        step(s + 1);
        step(s + 2);
        step(s + 3);
    }
    for (; s < steps; ++s) step(s);
    for (int m = 0; m < MR; ++m)
        for (int n = 0; n < NR; ++n) Dot::store(c + m * ldc + n * LANES, sum[m][n]);
}
#endif

template <class Dot, int MR, int NR, class Columns, class Fetch>
inline void tile(const word* const* a, Columns columns, int steps, typename Dot::Sum* c, int64_t ldc, bool add,
                 Fetch ahead) {
#if ASSAY_VECTOR
    if (instruction_set != InstructionSet::portable) return tile_vector<Dot, MR, NR>(a, columns, steps, c, ldc, add, ahead);
#endif
    (void)ahead;
    tile_portable<Dot, MR, NR>(a, columns, steps, c, ldc, add);
}

// A tile of `rows` <= 6 rows, chosen at run time. 6 x 4 registers of sums leave room for 4 columns and a row.
constexpr int TILE_ROWS = 6;

template <class Dot, int NR, class Columns, class Fetch = Ahead>
inline void tile_of(int rows, const word* const* a, Columns columns, int steps, typename Dot::Sum* c, int64_t ldc,
                    bool add, Fetch ahead = {}) {
    switch (rows) {
        case 1: return tile<Dot, 1, NR>(a, columns, steps, c, ldc, add, ahead);
        case 2: return tile<Dot, 2, NR>(a, columns, steps, c, ldc, add, ahead);
        case 3: return tile<Dot, 3, NR>(a, columns, steps, c, ldc, add, ahead);
        case 4: return tile<Dot, 4, NR>(a, columns, steps, c, ldc, add, ahead);
        case 5: return tile<Dot, 5, NR>(a, columns, steps, c, ldc, add, ahead);
        default: return tile<Dot, 6, NR>(a, columns, steps, c, ldc, add, ahead);
    }
}
