// Products of rows with packed weights: dense, and through the experts of a layer.
#include "grouped.h"

// Sums as float32; of int8 products x ~ (row - 128) * scale of the row, w ~ column * scale of the column.
struct AsFloat {
    const Grouped& g;
    const float* row_scale;

    inline void operator()(const Visit&, int, const float* sums, float* out) const {
        for (int j = 0; j < PANEL; ++j) out[j] = sums[j];
    }
    inline void operator()(const Visit& v, int sorted, const int32_t* sums, float* out) const {
        const float row = row_scale[g.sorted.row ? g.sorted.row[sorted] : sorted];
        const int64_t column = (int64_t(v.group) * g.w.panels + v.panel) * PANEL;
        for (int j = 0; j < PANEL; ++j)
            out[j] = float(sums[j] - g.w.offset[column + j]) * (row * g.w.scale[column + j]);
    }
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
    if (w.scale)
        product_of<Int8>(rounded(w, h, rows, room, sorted), room.scale, out, add);
    else
        product_of<Bf16>(as_they_lie(w, h, room, sorted), nullptr, out, add);
}

void gate_up(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted, bf16* out) {
    if (w.scale)
        gate_up_of<Int8>(rounded(w, h, rows, room, sorted), room.scale, out);
    else
        gate_up_of<Bf16>(as_they_lie(w, h, room, sorted), nullptr, out);
}

extern "C" {

// The best set that was compiled in.
int assay_best_set() {
#if ASSAY_TILES
    return int(InstructionSet::amx);
#elif ASSAY_VECTOR
    return int(InstructionSet::avx512);
#else
    return int(InstructionSet::portable);
#endif
}

// 1 when tiles may be used; asks the kernel for their state, which it grants to the whole process.
int assay_permit_tiles() {
#if ASSAY_TILES
    return Tiles::permitted();
#else
    return 0;
#endif
}

}
