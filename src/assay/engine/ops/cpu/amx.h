// The innermost product on tile registers: up to 2 x 2 or 1 x 4 squares of 16 x 16 sums.
//
// A register holds 16 rows of 64 bytes. One instruction multiplies 16 rows of A (16 words each) by 16 steps of B (16
// columns each) and adds to 16 x 16 sums, in the numbers of tile.h: bfloat16, or unsigned rows and signed columns.
// Two forms with the same answers: AMX, and a stand-in in plain C++ that tests compile (-DASSAY_TILES_STAND_IN).
#pragma once

#include "tile.h"

#if defined(ASSAY_TILES_STAND_IN)
#define ASSAY_TILES 1
#elif defined(__linux__) && defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AMX_INT8__)
#include <sys/syscall.h>
#include <unistd.h>
#define ASSAY_TILES 1
#else
#define ASSAY_TILES 0
#endif

constexpr int TILE_WORDS = SIDE * SIDE;    // 1 KiB

#if ASSAY_TILES
#if defined(ASSAY_TILES_STAND_IN)
struct Tiles {
    static bool permitted() { return true; }
    static void configure() {}
    static void release() {}
    template <int T> static void zero() { std::memset(registers()[T], 0, sizeof(word) * TILE_WORDS); }
    template <int T> static void load(const void* from, int64_t stride) {
        for (int r = 0; r < SIDE; ++r)
            std::memcpy(registers()[T] + r * SIDE, static_cast<const char*>(from) + r * stride, 64);
    }
    template <int T> static void store(void* to, int64_t stride) {
        for (int r = 0; r < SIDE; ++r)
            std::memcpy(static_cast<char*>(to) + r * stride, registers()[T] + r * SIDE, 64);
    }
    template <class Dot, int C, int A, int B> static void dot() {
        typename Dot::Sum sums[TILE_WORDS];
        std::memcpy(sums, registers()[C], sizeof sums);
        for (int m = 0; m < SIDE; ++m)
            for (int s = 0; s < SIDE; ++s)
                for (int n = 0; n < SIDE; ++n)
                    sums[m * SIDE + n] = Dot::dot(sums[m * SIDE + n], registers()[A][m * SIDE + s], registers()[B][s * SIDE + n]);
        std::memcpy(registers()[C], sums, sizeof sums);
    }

private:
    static word (*registers())[TILE_WORDS] {
        thread_local word all[8][TILE_WORDS];
        return all;
    }
};
#else
struct Tiles {
    // Linux gives a process the 8 KiB of tile state when it asks for them: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA).
    // Source: Documentation/arch/x86/xstate.rst of the kernel.
    static bool permitted() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }
    static void configure() {
        struct alignas(64) {
            uint8_t palette = 1, start_row = 0, reserved[14] = {};
            uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } const shape;
        asm volatile("ldtilecfg %0" : : "m"(shape));
    }
    static void release() { asm volatile("tilerelease"); }
    template <int T> static void zero() { asm volatile("tilezero %%tmm%c0" : : "i"(T)); }
    template <int T> static void load(const void* from, int64_t stride) {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(T) : "memory");
    }
    template <int T> static void store(void* to, int64_t stride) {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(T) : "memory");
    }
    template <class Dot, int C, int A, int B> static void dot() {
        if (Dot::per_word == 2)
            asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
        else
            asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
    }
};
#endif

constexpr int BLOCKS_AT_ONCE = 4;  // of 16 steps: weights of 16 KiB and as many bytes of 64 rows stay in L1 together
constexpr int BLOCKS_OF_ONE_TILE = 16;  // which reads its weights once: what counts is how far ahead they are fetched

// Brings `lines` lines of 64 bytes into L2 with every block that is computed: after its loads, which would wait for them.
struct AheadOfTiles {
    const word* from;
    int lines;
    inline void operator()() {
        for (int line = 0; line < lines; ++line) __builtin_prefetch(from + line * SIDE, 0, 2);
        from += lines * SIDE;
    }
};

// c[32][ldc 64] (+)= two tiles of rows, `next_rows` words apart, times the 32 columns at `b` of a tiled panel.
template <class Dot>
inline void multiply_square(const word* a, int64_t next_rows, const word* b, int blocks, typename Dot::Sum* c, bool add,
                            AheadOfTiles& ahead) {
    constexpr int64_t row_bytes = PANEL * sizeof(word);
    typename Dot::Sum* below = c + SIDE * PANEL;
    if (add) {
        Tiles::load<0>(c, row_bytes);
        Tiles::load<1>(c + LANES, row_bytes);
        Tiles::load<2>(below, row_bytes);
        Tiles::load<3>(below + LANES, row_bytes);
    } else {
        Tiles::zero<0>();
        Tiles::zero<1>();
        Tiles::zero<2>();
        Tiles::zero<3>();
    }
    for (int block = 0; block < blocks; ++block, a += TILE_WORDS, b += SIDE * PANEL) {
        Tiles::load<6>(b, 64);
        Tiles::load<4>(a, 64);
        Tiles::load<7>(b + TILE_WORDS, 64);
        Tiles::load<5>(a + next_rows, 64);
        Tiles::dot<Dot, 0, 4, 6>();
        Tiles::dot<Dot, 1, 4, 7>();
        Tiles::dot<Dot, 2, 5, 6>();
        Tiles::dot<Dot, 3, 5, 7>();
        ahead();
    }
    Tiles::store<0>(c, row_bytes);
    Tiles::store<1>(c + LANES, row_bytes);
    Tiles::store<2>(below, row_bytes);
    Tiles::store<3>(below + LANES, row_bytes);
}

// c[16][ldc 64] (+)= one tile of rows times all 64 columns of a tiled panel.
template <class Dot>
inline void multiply_row(const word* a, const word* b, int blocks, typename Dot::Sum* c, bool add, AheadOfTiles& ahead) {
    constexpr int64_t row_bytes = PANEL * sizeof(word);
    if (add) {
        Tiles::load<0>(c, row_bytes);
        Tiles::load<1>(c + LANES, row_bytes);
        Tiles::load<2>(c + 2 * LANES, row_bytes);
        Tiles::load<3>(c + 3 * LANES, row_bytes);
    } else {
        Tiles::zero<0>();
        Tiles::zero<1>();
        Tiles::zero<2>();
        Tiles::zero<3>();
    }
    for (int block = 0; block < blocks; ++block, a += TILE_WORDS, b += SIDE * PANEL) {
        Tiles::load<4>(a, 64);
        Tiles::load<5>(b, 64);
        Tiles::load<6>(b + TILE_WORDS, 64);
        Tiles::load<7>(b + 2 * TILE_WORDS, 64);
        Tiles::dot<Dot, 0, 4, 5>();
        Tiles::load<5>(b + 3 * TILE_WORDS, 64);
        Tiles::dot<Dot, 1, 4, 6>();
        Tiles::dot<Dot, 2, 4, 7>();
        Tiles::dot<Dot, 3, 4, 5>();
        ahead();
    }
    Tiles::store<0>(c, row_bytes);
    Tiles::store<1>(c + LANES, row_bytes);
    Tiles::store<2>(c + 2 * LANES, row_bytes);
    Tiles::store<3>(c + 3 * LANES, row_bytes);
}
#endif
