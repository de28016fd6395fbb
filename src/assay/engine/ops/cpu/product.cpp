// Products of rows with packed weights: dense, and through the experts of a layer.
#include "grouped.h"

#if ASSAY_AVX512
// silu of common.h, 16 at once.
static inline __m512 silu16(__m512 x) {
    const __m512 limited = _mm512_min_ps(_mm512_sub_ps(_mm512_setzero_ps(), x), _mm512_set1_ps(80.0f));
    const __m512 whole = _mm512_roundscale_ps(_mm512_mul_ps(limited, _mm512_set1_ps(1.44269504f)), 8);
    __m512 r = _mm512_fnmadd_ps(whole, _mm512_set1_ps(0.693359375f), limited);
    r = _mm512_fmadd_ps(whole, _mm512_set1_ps(2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    for (float c : {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f, 1.0f, 1.0f})
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
    return _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0f), _mm512_scalef_ps(p, whole)));
}
#endif

// Sums as float32; of int8 products x ~ (row - ROW_ZERO) * scale of the row, w ~ column * scale of the column.
struct AsFloat {
    const Grouped& g;
    const float* row_scale;

    inline void operator()(const Visit&, int, const float* sums, float* out) const {
        for (int j = 0; j < PANEL; ++j) out[j] = sums[j];
    }
    inline void operator()(const Visit& v, int sorted, const int32_t* sums, float* out) const {
        const float row = row_scale[g.sorted.row ? g.sorted.row[sorted] : sorted];
        const Group& group = g.w.group[v.group];
        const int column = v.panel * PANEL;
        for (int j = 0; j < PANEL; ++j)
            out[j] = float(sums[j] - (Int8::ROW_ZERO ? group.offset[column + j] : 0)) * (row * group.scale[column + j]);
    }
#if ASSAY_AVX512
    inline __m512 sixteen(const Visit&, int, const float* sums, int j) const { return _mm512_loadu_ps(sums + j); }
    inline __m512 sixteen(const Visit& v, int sorted, const int32_t* sums, int j) const {
        const float row = row_scale[g.sorted.row ? g.sorted.row[sorted] : sorted];
        const Group& group = g.w.group[v.group];
        const int column = v.panel * PANEL + j;
        const __m512i offset = _mm512_loadu_si512(group.offset + column);
        return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(sums + j), offset)),
                             _mm512_mul_ps(_mm512_set1_ps(row), _mm512_loadu_ps(group.scale + column)));
    }
#endif
};

template <class Dot>
static void product_of(const Grouped& g, const float* row_scale, float* out, bool add) {
    const AsFloat as_float{g, row_scale};
    const int columns = g.w.columns;
    multiply<Dot>(g, [&](const Visit& v, int first, int rows, const typename Dot::Sum* sums) {
        const int from = v.panel * PANEL, width = std::min(PANEL, columns - from);
        for (int m = 0; m < rows; ++m) {
            float values[PANEL];
            as_float(v, first + m, sums + m * PANEL, values);
            float* to = out + int64_t(first + m) * columns + from;
            if (add)
                for (int j = 0; j < width; ++j) to[j] += values[j];
            else
                for (int j = 0; j < width; ++j) to[j] = values[j];
        }
    });
}

// Panels hold 32 gate columns and the 32 up columns that belong to them: silu(gate) * up leaves as bfloat16.
template <class Dot>
static void gate_up_of(const Grouped& g, const float* row_scale, bf16* out) {
    const AsFloat as_float{g, row_scale};
    const int width = g.w.columns / 2;
    multiply<Dot>(g, [&](const Visit& v, int first, int rows, const typename Dot::Sum* sums) {
        const int from = v.panel * HALF, count = std::min(HALF, width - from);
        for (int m = 0; m < rows; ++m) {
#if ASSAY_AVX512
            if (instruction_set != InstructionSet::portable) {
                const auto inner = [&](int j) {
                    const typename Dot::Sum* row = sums + m * PANEL;
                    return _mm512_mul_ps(silu16(as_float.sixteen(v, first + m, row, j)),
                                         as_float.sixteen(v, first + m, row, HALF + j));
                };
                const __m512bh both = _mm512_cvtne2ps_pbh(inner(LANES), inner(0));
                bf16* to = out + int64_t(first + m) * width + from;
                _mm512_mask_storeu_epi16(to, __mmask32((uint64_t(1) << count) - 1), (__m512i)both);
                continue;
            }
#endif
            float values[PANEL];
            bf16 inner[HALF];
            as_float(v, first + m, sums + m * PANEL, values);
            for (int j = 0; j < HALF; ++j) inner[j] = to_bf16(silu(values[j]) * values[HALF + j]);
            std::memcpy(out + int64_t(first + m) * width + from, inner, count * sizeof(bf16));
        }
    });
}

// Rows of bfloat16 as they lie; both numbers of a word belong to the row, because widths are even.
static Grouped as_they_lie(const Matrix& w, const bf16* h, const RowRoom& room, const Sorted& sorted) {
    return {w, sorted, reinterpret_cast<const word*>(h), w.depth / 2, room.tiles};
}

static Grouped rounded(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted) {
    quantise(h, rows, w.depth, int64_t(w.steps) * 4, room);
    return {w, sorted, reinterpret_cast<const word*>(room.values), w.steps, room.tiles};
}

void product(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted, float* out, bool add) {
    if (w.is_int8)
        product_of<Int8>(rounded(w, h, rows, room, sorted), room.scale, out, add);
    else
        product_of<Bf16>(as_they_lie(w, h, room, sorted), nullptr, out, add);
}

void gate_up(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted, bf16* out) {
    if (w.is_int8)
        gate_up_of<Int8>(rounded(w, h, rows, room, sorted), room.scale, out);
    else
        gate_up_of<Bf16>(as_they_lie(w, h, room, sorted), nullptr, out);
}

extern "C" {

// The best set that was compiled in.
int assay_best_set() {
#if ASSAY_TILES
    return int(InstructionSet::amx);
#elif ASSAY_AVX512
    return int(InstructionSet::avx512);
#else
    return int(InstructionSet::portable);
#endif
}

// The best of them without tiles.
int assay_best_vectors() { return int(ASSAY_AVX512 ? InstructionSet::avx512 : InstructionSet::portable); }

// What the portable set was compiled for.
const char* assay_portable_for() { return PORTABLE_FOR; }

// 1 when tiles may be used; asks the kernel for their state, which it grants to the whole process.
int assay_permit_tiles() {
#if ASSAY_TILES
    return Tiles::permitted();
#else
    return 0;
#endif
}

}
