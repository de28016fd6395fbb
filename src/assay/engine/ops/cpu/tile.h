// The innermost product: MR rows times NR * 16 packed columns, in registers.
//
//   c[m][j] (+)= sum over s < steps of dot(a[m][s], b[s * stride + j])
//
// `dot` multiplies the numbers in two words and adds the products (dot.h).
#pragma once

#include "dot.h"

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

// Rows as a form with one part reads them.
template <int MR>
struct AsTheyLie {
    const word* rows[MR];
    inline word at(int, int m, int s) const { return rows[m][s]; }
};

constexpr int SPLIT_STEPS = 128;  // 6 rows of them are 6 KiB, and 64 bytes of each step of weights 8: both stay in L1

// Rows taken into the parts of a form, for as many steps at once.
template <class Form, int MR>
struct Split {
    alignas(64) word parts[Form::PARTS][MR][SPLIT_STEPS];

    Split(const word* const* a, int from, int steps) {
        for (int m = 0; m < MR; ++m) {
            int s = 0;
            for (; s + WIDTH <= steps; s += WIDTH) take(a[m] + from + s, WIDTH, m, s);
            if (s < steps) take(a[m] + from + s, steps - s, m, s);
        }
    }
    inline word at(int p, int m, int s) const { return parts[p][m][s]; }

private:
    inline void take(const word* from, int count, int m, int s) {
        Words words = {};
        std::memcpy(&words, from, sizeof(word) * count);
        for (int p = 0; p < Form::PARTS; ++p) {
            const Words part = Form::row(words, p);
            std::memcpy(&parts[p][m][s], &part, sizeof part);
        }
    }
};

// Registers of a row's sums that are computed together: all, a half, a quarter ..., so that they stay in registers beside
// the columns, a row and a mask. One row reads columns straight from memory, the more of a step the faster.
constexpr int strip_of(int rows, int all) {
    const int columns = rows == 1 ? 0 : all;
    return all == 1 || rows * all + columns + 2 <= REGISTERS ? all : strip_of(rows, all / 2);
}

// `steps` steps of all columns, in strips whose sums fit into registers beside a step of columns and a row.
template <class Form, int MR, int NR, class Rows, class Columns, class Sum, class Fetch>
inline void sweep(const Rows& rows, Columns columns, int from, int steps, Sum* c, int64_t ldc, bool add, Fetch ahead) {
    constexpr int ALL = NR * LANES / WIDTH;  // registers of a row of sums
    constexpr int STRIP = strip_of(MR, ALL);
    for (int strip = 0; strip < ALL; strip += STRIP) {
        typename Form::Register sum[MR][STRIP];
        Sum* to = c + strip * WIDTH;
        for (int m = 0; m < MR; ++m)
#pragma GCC unroll 16
            for (int n = 0; n < STRIP; ++n)
                if (add)
                    std::memcpy(&sum[m][n], to + m * ldc + n * WIDTH, REGISTER_BYTES);
                else
                    sum[m][n] = typename Form::Register{};
        const auto step = [&](int s) __attribute__((always_inline)) {
            Words words[STRIP];
#pragma GCC unroll 16
            for (int n = 0; n < STRIP; ++n) {
                const int column = (strip + n) * WIDTH;
                std::memcpy(&words[n], columns(from + s, column / LANES) + column % LANES, REGISTER_BYTES);
            }
#pragma GCC unroll 4
            for (int p = 0; p < Form::PARTS; ++p)
#pragma GCC unroll 6
                for (int m = 0; m < MR; ++m)
#pragma GCC unroll 16
                    for (int n = 0; n < STRIP; ++n)
                        sum[m][n] = Form::dot(sum[m][n], Words{} + rows.at(p, m, s), Form::column(words[n], p));
        };
        int s = 0;
        for (; s + 4 <= steps; s += 4) {
            if (s / 4 % (ALL / STRIP) == strip / STRIP) ahead(from + s);  // each strip fetches its share
            step(s);
            step(s + 1);
            step(s + 2);
            step(s + 3);
        }
        for (; s < steps; ++s) step(s);
        for (int m = 0; m < MR; ++m)
            for (int n = 0; n < STRIP; ++n) std::memcpy(to + m * ldc + n * WIDTH, &sum[m][n], REGISTER_BYTES);
    }
}

template <class Form, int MR, int NR, class Columns, class Sum, class Fetch>
inline void tile_by(const word* const* a, Columns columns, int steps, Sum* c, int64_t ldc, bool add, Fetch ahead) {
    if constexpr (Form::PARTS == 1) {
        AsTheyLie<MR> rows;
        std::copy_n(a, MR, rows.rows);
        sweep<Form, MR, NR>(rows, columns, 0, steps, c, ldc, add, ahead);
    } else
        for (int from = 0; from < steps; from += SPLIT_STEPS) {
            const int count = std::min(SPLIT_STEPS, steps - from);
            const Split<Form, MR> rows(a, from, count);
            sweep<Form, MR, NR>(rows, columns, from, count, c, ldc, add || from, ahead);
        }
}

template <class Dot, int MR, int NR, class Columns, class Fetch>
inline void tile(const word* const* a, Columns columns, int steps, typename Dot::Sum* c, int64_t ldc, bool add,
                 Fetch ahead) {
#if ASSAY_AVX512
    if (instruction_set != InstructionSet::portable)
        return tile_by<typename Dot::Avx512, MR, NR>(a, columns, steps, c, ldc, add, ahead);
#endif
    tile_by<typename Dot::Portable, MR, NR>(a, columns, steps, c, ldc, add, ahead);
}

// A tile of `rows` <= 6 rows, chosen at run time. With AVX-512, 6 x 4 registers of sums leave room for 4 columns and a
// row; others compute it in strips.
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
