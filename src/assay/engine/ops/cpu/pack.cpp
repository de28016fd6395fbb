// Weights into panels, as kernels.h says of Matrix. Columns and steps beyond the weight are zero.
//
// With `second`, a panel is 32 rows of `first` (gate) followed by the same 32 rows of `second` (up).
#include <vector>

#include "kernels.h"

struct Source {
    const void* first;
    const void* second;      // or null
    int rows;                // output columns of `first`
    int depth;               // numbers of a row
    int is_bf16;             // else float32
};

// The 64 weight rows that become the columns of one panel; null beyond the end.
template <class Number>
struct Columns {
    const Number* row[PANEL];
    int depth;

    Columns(const Source& s, int panel) : depth(s.depth) {
        const int width = s.second ? HALF : PANEL;
        for (int j = 0; j < PANEL; ++j) {
            const int r = panel * width + j % width;
            const void* from = s.second && j >= HALF ? s.second : s.first;
            row[j] = r < s.rows ? static_cast<const Number*>(from) + int64_t(r) * depth : nullptr;
        }
    }
    float at(int j, int k) const { return row[j] && k < depth ? number(row[j][k]) : 0.0f; }
    static float number(float value) { return value; }
    static float number(bf16 value) { return to_float(value); }
};

template <class Number>
static void pack_bf16(const Source& source, const Matrix& w, int group) {
    share(w.panels, [&](int64_t panel, bool) {
        const Columns<Number> columns(source, int(panel));
        word* to = w.panel(group, int(panel));
        for (int s = 0; s < w.steps_kept(); ++s)
            for (int j = 0; j < PANEL; ++j)
                to[w.place(s, j)] = to_bf16(columns.at(j, 2 * s)) | word(to_bf16(columns.at(j, 2 * s + 1))) << 16;
    });
}

// Each column spread as the rows will be, then symmetric: its largest weight becomes 127. offset = 128 * sum, which
// undoes unsigned rows.
template <class Number>
static void pack_int8(const Source& source, const Matrix& w, int group) {
    share(w.panels, [&](int64_t panel, bool) {
        const Columns<Number> columns(source, int(panel));
        const int numbers = 4 * w.steps_kept();
        std::vector<float> column(numbers);
        word* to = w.panel(group, int(panel));
        for (int j = 0; j < PANEL; ++j) {
            for (int k = 0; k < numbers; ++k) column[k] = columns.at(j, k);
            const int parts = spread(column.data(), source.depth);
            const float largest = largest_of(column.data(), source.depth), inverse = 127.0f / largest;
            int32_t sum = 0;
            for (int k = 0; k < numbers; ++k) {
                const int8_t value = int8_t(std::nearbyint(column[k] * inverse));
                reinterpret_cast<int8_t*>(to + w.place(k / 4, j))[k % 4] = value;
                sum += value;
            }
            const int64_t place = panel * PANEL + j;
            w.group[group].scale[place] = largest / 127.0f / std::sqrt(float(parts));
            w.group[group].offset[place] = 128 * sum;
        }
    });
}

// One group of `w`, whose memory is there but not yet filled.
extern "C" void assay_pack(const Source* source, const Matrix* w, int group) {
    if (w->is_int8)
        source->is_bf16 ? pack_int8<bf16>(*source, *w, group) : pack_int8<float>(*source, *w, group);
    else
        source->is_bf16 ? pack_bf16<bf16>(*source, *w, group) : pack_bf16<float>(*source, *w, group);
}
