// Products of rows with packed weights: dense, and through the experts of a layer.
#include "grouped.h"

// Sums of int8 products back to float32: x ~ (row - 128) * scale_row, w ~ column * scale_column.
struct Scales {
    const float* row;        // per row of `a`
    const float* column;     // per packed column
    const int32_t* offset;   // per packed column: 128 * sum of its weights
};

struct AsFloat {
    Scales scales;
    int64_t group_columns;   // packed columns of a group
    const Grouped& g;

    inline void operator()(const Visit&, int, const float* sums, float* out) const {
        for (int j = 0; j < PANEL; ++j) out[j] = sums[j];
    }
    inline void operator()(const Visit& v, int sorted, const int32_t* sums, float* out) const {
        const float row = scales.row[g.row ? g.row[sorted] : sorted];
        const int64_t column = v.group * group_columns + int64_t(v.panel) * PANEL;
        for (int j = 0; j < PANEL; ++j)
            out[j] = float(sums[j] - scales.offset[column + j]) * (row * scales.column[column + j]);
    }
};

template <class Dot>
void product(const Grouped& g, const Scales& scales, float* out, int columns, bool add) {
    const AsFloat as_float{scales, int64_t(g.panels) * PANEL, g};
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
void gate_up(const Grouped& g, const Scales& scales, bf16* out, int width) {
    const AsFloat as_float{scales, int64_t(g.panels) * PANEL, g};
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

extern "C" {

void assay_product_bf16(const Grouped* g, float* out, int columns, int add) {
    product<Bf16>(*g, {}, out, columns, add != 0);
}
void assay_product_int8(const Grouped* g, const Scales* scales, float* out, int columns, int add) {
    product<Int8>(*g, *scales, out, columns, add != 0);
}
void assay_gate_up_bf16(const Grouped* g, bf16* out, int width) { gate_up<Bf16>(*g, {}, out, width); }
void assay_gate_up_int8(const Grouped* g, const Scales* scales, bf16* out, int width) {
    gate_up<Int8>(*g, *scales, out, width);
}

}
