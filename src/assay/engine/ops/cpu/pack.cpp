// Weights into panels: [panel of 64 columns][step][64] words. Columns and steps beyond the weight are zero.
//
// With `second`, a panel is 32 rows of `first` (gate) followed by the same 32 rows of `second` (up).
#include <algorithm>

#include "common.h"

struct Source {
    const float* first;
    const float* second;     // or null
    int rows;                // output columns of `first`
    int depth;               // numbers of a row

    // The weight row that becomes column j of a panel, or null beyond the end.
    const float* column(int panel, int j) const {
        const int width = second ? HALF : PANEL;
        const int row = panel * width + j % width;
        const float* from = second && j >= HALF ? second : first;
        return row < rows ? from + int64_t(row) * depth : nullptr;
    }
};

extern "C" {

void assay_pack_bf16(const Source* source, int panels, int steps, word* out) {
    share(panels, [&](int64_t panel, bool) {
        bf16* to = reinterpret_cast<bf16*>(out + panel * steps * PANEL);
        for (int j = 0; j < PANEL; ++j) {
            const float* from = source->column(int(panel), j);
            for (int k = 0; k < steps * 2; ++k)
                to[(k / 2 * PANEL + j) * 2 + k % 2] = from && k < source->depth ? to_bf16(from[k]) : 0;
        }
    });
}

// Symmetric per column: the largest weight becomes 127. offset = 128 * sum, which undoes unsigned rows.
void assay_pack_int8(const Source* source, int panels, int steps, word* out, float* scale, int32_t* offset) {
    share(panels, [&](int64_t panel, bool) {
        int8_t* to = reinterpret_cast<int8_t*>(out + panel * steps * PANEL);
        for (int j = 0; j < PANEL; ++j) {
            const float* from = source->column(int(panel), j);
            float largest = 1e-12f;
            for (int k = 0; from && k < source->depth; ++k) largest = std::max(largest, std::fabs(from[k]));
            const float inverse = 127.0f / largest;
            int32_t sum = 0;
            for (int k = 0; k < steps * 4; ++k) {
                const int8_t value = from && k < source->depth ? int8_t(std::nearbyint(from[k] * inverse)) : 0;
                to[(k / 4 * PANEL + j) * 4 + k % 4] = value;
                sum += value;
            }
            scale[panel * PANEL + j] = largest / 127.0f;
            offset[panel * PANEL + j] = 128 * sum;
        }
    });
}

}
