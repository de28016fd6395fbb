// How the numbers in two words are multiplied and added, with the instructions that the compiler may use.
//
// Each kind of number has a scalar `dot`, which is what it means, and a form for a whole register of words. A form takes
// the words of rows and columns into PARTS registers each, whose products it adds; with one part rows stay as they lie.
#pragma once

#include "common.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// The set `avx512`: AVX-512 that multiplies bfloat16 and int8. All else is `portable`, in the widest registers there are.
#if defined(__AVX512BW__) && defined(__AVX512BF16__) && defined(__AVX512VNNI__)
#define ASSAY_AVX512 1
#else
#define ASSAY_AVX512 0
#endif

#if defined(__AVX512BW__)
constexpr int REGISTER_BYTES = 64, REGISTERS = 32;
#define ASSAY_WIDEST "AVX-512"
#elif defined(__AVX2__)
constexpr int REGISTER_BYTES = 32, REGISTERS = 16;
#define ASSAY_WIDEST "AVX2"
#elif defined(__aarch64__)
constexpr int REGISTER_BYTES = 16, REGISTERS = 32;
#define ASSAY_WIDEST "NEON"
#elif defined(__SSE2__)
constexpr int REGISTER_BYTES = 16, REGISTERS = 16;
#define ASSAY_WIDEST "SSE2"
#else
constexpr int REGISTER_BYTES = 16, REGISTERS = 16;
#define ASSAY_WIDEST "plain C++"
#endif
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define ASSAY_INT8 ", VNNI"
#elif defined(__ARM_FEATURE_DOTPROD)
#define ASSAY_INT8 ", dotprod"
#else
#define ASSAY_INT8 ""
#endif
constexpr const char* PORTABLE_FOR = ASSAY_WIDEST ASSAY_INT8;
constexpr int WIDTH = REGISTER_BYTES / 4;  // words of a register

typedef word Words __attribute__((vector_size(REGISTER_BYTES)));
typedef float Floats __attribute__((vector_size(REGISTER_BYTES)));
typedef int32_t Ints __attribute__((vector_size(REGISTER_BYTES)));
typedef int16_t Shorts __attribute__((vector_size(REGISTER_BYTES)));

// bfloat16. A sum differs in its last bits with the order in which products are added.
struct Bf16 {
    using Sum = float;
    static constexpr int per_word = 2;
    static inline float dot(float sum, word a, word b) {
        return sum + to_float(bf16(a)) * to_float(bf16(b)) + to_float(bf16(a >> 16)) * to_float(bf16(b >> 16));
    }

    // As the upper halves of float32.
    struct Portable {
        using Register = Floats;
        static constexpr int PARTS = 2;
        static inline Words row(Words w, int p) { return column(w, p); }
        static inline Words column(Words w, int p) { return p ? w & 0xffff0000u : w << 16; }
        static inline Floats dot(Floats sum, Words row, Words column) { return sum + (Floats)row * (Floats)column; }
    };
#if ASSAY_AVX512
    struct Avx512 {
        using Register = Floats;
        static constexpr int PARTS = 1;
        static inline Words column(Words w, int) { return w; }
        static inline Floats dot(Floats sum, Words row, Words column) {
            return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)row, (__m512bh)column);
        }
    };
#endif
};

// int8: signed columns, and rows as the instruction takes them: unsigned (value + 128) or, on Arm, signed. Sums are exact.
struct Int8 {
    using Sum = int32_t;
    static constexpr int per_word = 4;
#if defined(__ARM_FEATURE_DOTPROD)
    using Row = int8_t;
    static constexpr int ROW_ZERO = 0;     // what a zero of a row is kept as
#else
    using Row = uint8_t;
    static constexpr int ROW_ZERO = 128;
#endif
    static inline int32_t dot(int32_t sum, word a, word b) {
        for (int i = 0; i < 32; i += 8) sum += int32_t(Row(a >> i)) * int32_t(int8_t(b >> i));
        return sum;
    }

    struct Portable {
        using Register = Ints;
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
        static constexpr int PARTS = 1;
        static inline Words column(Words w, int) { return w; }
        static inline Ints dot(Ints sum, Words row, Words column) {
            // Written as assembly: GCC 12 moves and spills the sums around the intrinsic, at a third of the speed.
#if defined(__AVX512VNNI__)
            asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(column));
            return sum;
#elif defined(__AVXVNNI__)
            asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(row), "x"(column));
            return sum;
#else
            return (Ints)vdotq_s32((int32x4_t)sum, (int8x16_t)column, (int8x16_t)row);
#endif
        }
#elif defined(__SSE2__)
        // Even and odd numbers, each widened to 16 bits. Products of 8 bits would saturate their sum of 16.
        static constexpr int PARTS = 2;
        static inline Words row(Words w, int p) { return (p ? w >> 8 : w) & 0x00ff00ffu; }
        static inline Words column(Words w, int p) { return (Words)((p ? (Shorts)w : (Shorts)w << 8) >> 8); }
        static inline Ints dot(Ints sum, Words row, Words column) {
#if defined(__AVX512BW__)
            return sum + (Ints)_mm512_madd_epi16((__m512i)row, (__m512i)column);
#elif defined(__AVX2__)
            return sum + (Ints)_mm256_madd_epi16((__m256i)row, (__m256i)column);
#else
            return sum + (Ints)_mm_madd_epi16((__m128i)row, (__m128i)column);
#endif
        }
#else
        static constexpr int PARTS = 4;
        static inline Words row(Words w, int p) { return w >> 8 * p & 0xffu; }
        static inline Words column(Words w, int p) { return (Words)((Ints)(w << (24 - 8 * p)) >> 24); }
        static inline Ints dot(Ints sum, Words row, Words column) { return sum + (Ints)row * (Ints)column; }
#endif
    };
    using Avx512 = Portable;
};
