// What happens to each row between products: norm, quantisation, routing, and bringing experts together.
#include <algorithm>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "dot.h"
#include "kernels.h"

int num_threads = 1;
InstructionSet instruction_set = InstructionSet::portable;
int tiles_from[2] = {1, 1};

// One row, spread in `row`; gives its scale. A function of its own, so that the compiler knows that
// writing bytes changes none of the other values: it then computes 16 numbers at once.
static float quantise_row(const bf16* from, const int width, float* __restrict row, uint8_t* __restrict to) {
    for (int i = 0; i < width; ++i) row[i] = to_float(from[i]);
    const int parts = spread(row, width);
    const float most = largest_of(row, width), inverse = 127.0f / most;
    const float shifter = 12582912.0f + Int8::ROW_ZERO;  // 1.5 * 2^23: adding it rounds to a whole number
    for (int i = 0; i < width; ++i) {
        const float shifted = row[i] * inverse + shifter;
        uint32_t bits;
        std::memcpy(&bits, &shifted, 4);
        to[i] = uint8_t(bits);
    }
    return most / 127.0f / std::sqrt(float(parts));
}

extern "C" {

void assay_configure(int threads, int set, int tiles_from_bf16, int tiles_from_int8) {
    num_threads = threads;
    instruction_set = InstructionSet(set);
    tiles_from[0] = tiles_from_bf16;
    tiles_from[1] = tiles_from_int8;
}

// Ask for 2 MiB pages: streams of weights then cross few page boundaries. Only a wish; refusal costs speed.
void assay_huge_pages(void* from, int64_t bytes) {
#if defined(__linux__)
    const uintptr_t page = uintptr_t(2) << 20, begin = (uintptr_t(from) + page - 1) / page * page;
    const uintptr_t end = (uintptr_t(from) + bytes) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
    (void)from, (void)bytes;
#endif
}

}

// out = x / rms(x) * weight
void norm(const float* x, const float* weight, float eps, int rows, int width, bf16* out) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        const float* row = x + r * width;
        const float scale = inverse_rms(row, width, eps);
        for (int i = 0; i < width; ++i) out[r * width + i] = to_bf16(row[i] * scale * weight[i]);
    });
}

// Each row spread, then by its own scale: the largest becomes 127; stored as value + ROW_ZERO, zeros up to `stride` bytes.
void quantise(const bf16* x, int rows, int width, int64_t stride, const RowRoom& out) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        thread_local std::vector<float> kept;
        kept.resize(width);
        uint8_t* to = out.values + r * stride;
        out.scale[r] = quantise_row(x + r * width, width, kept.data(), to);
        std::memset(to + width, Int8::ROW_ZERO, stride - width);
    });
}

// Softmax over the experts, the best `active` of each row, renormalised or not, then rows sorted by expert.
// start: experts + 1; row, place and weight: rows * active. Ties go to the lower expert.
void route(const bf16* h, const float* router, int rows, int width, int experts, int active, bool renormalises,
           int32_t* start, int32_t* row, int32_t* place, float* weight) {
    std::vector<int32_t> chosen(int64_t(rows) * active);
    share_numbers(rows, width, [&](int64_t r, bool) {
        std::vector<float> score(experts);
        for (int e = 0; e < experts; ++e) {
            float sums[LANES] = {};
            int i = 0;
            for (; i + LANES <= width; i += LANES)
                for (int j = 0; j < LANES; ++j)
                    sums[j] += to_float(h[r * width + i + j]) * router[int64_t(e) * width + i + j];
            for (float s : sums) score[e] += s;
            for (; i < width; ++i) score[e] += to_float(h[r * width + i]) * router[int64_t(e) * width + i];
        }
        const float best = *std::max_element(score.begin(), score.end());
        float total = 0;
        for (int a = 0; a < active; ++a) {
            const int e = int(std::max_element(score.begin(), score.end()) - score.begin());
            chosen[r * active + a] = e;
            weight[r * active + a] = std::exp(score[e] - best);
            total += weight[r * active + a];
            score[e] = -INFINITY;
        }
        if (!renormalises)
            for (float left : score) total += std::exp(left - best);
        for (int a = 0; a < active; ++a) weight[r * active + a] /= total;
    });
    std::fill(start, start + experts + 1, 0);
    for (int32_t e : chosen) ++start[e + 1];
    for (int e = 0; e < experts; ++e) start[e + 1] += start[e];
    std::vector<int32_t> next(start, start + experts);
    for (int64_t i = 0; i < int64_t(chosen.size()); ++i) {
        place[i] = next[chosen[i]]++;
        row[place[i]] = int32_t(i / active);
    }
}

void take(const bf16* y, int rows, int width, bool add, float* out) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        const bf16* from = y + r * width;
        float* to = out + r * width;
        if (add)
            for (int i = 0; i < width; ++i) to[i] += to_float(from[i]);
        else
            for (int i = 0; i < width; ++i) to[i] = to_float(from[i]);
    });
}

void add_bias(const float* bias, int rows, int width, float* x) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        for (int i = 0; i < width; ++i) x[r * width + i] += bias[i];
    });
}

// x += sum over a of weight[r][a] * y[place[r][a]]
void combine(const float* y, const int32_t* place, const float* weight, int rows, int active, int width, float* x) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        for (int a = 0; a < active; ++a) {
            const float* from = y + int64_t(place[r * active + a]) * width;
            const float part = weight[r * active + a];
            for (int i = 0; i < width; ++i) x[r * width + i] += part * from[i];
        }
    });
}

extern "C" {

// The first of the greatest of each row; -1 for a row that holds any NaN.
void assay_argmax(const float* x, int rows, int width, int32_t* out) {
    share_numbers(rows, width, [&](int64_t r, bool) {
        const float* row = x + r * width;
        float most = -INFINITY;
        Floats lanes = most - Floats{};
        Ints nan = {};
        int32_t has_nan = 0;
        int i = 0;
        for (; i + WIDTH <= width; i += WIDTH) {
            Floats here;
            std::memcpy(&here, row + i, sizeof here);
            lanes = here > lanes ? here : lanes;
            nan |= here != here;
        }
        for (int j = 0; j < WIDTH; ++j) most = std::max(most, lanes[j]), has_nan |= nan[j];
        for (; i < width; ++i) most = row[i] > most ? row[i] : most, has_nan |= row[i] != row[i] ? 1 : 0;
        out[r] = has_nan ? -1 : int32_t(std::find(row, row + width, most) - row);
    });
}

}
