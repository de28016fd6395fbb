// Products and norm of our kernels beside plain sums, for a processor on which Python does not run. A line each:
// what, and by how much of the largest value it is off; int8 sums are held to the last bit.
#include <cstdio>
#include <random>
#include <vector>

#include "dot.h"
#include "kernels.h"

struct Source {
    const void *first, *second;
    int rows, depth, is_bf16;
};
extern "C" {
void assay_configure(int, int, int, int);
void assay_pack(const Source*, const Matrix*, int);
void assay_product(const Matrix*, const bf16*, int, const RowRoom*, float*);
void assay_norm(const float*, const float*, float, int, int, bf16*);
const char* assay_portable_for();
}

static std::vector<bf16> random_numbers(int64_t count, unsigned seed) {
    std::mt19937 of(seed);
    std::normal_distribution<float> normal;
    std::vector<bf16> numbers(count);
    for (bf16& each : numbers) each = to_bf16(normal(of));
    return numbers;
}

static double product_error(bool is_int8, int rows, int depth, int columns) {
    const int per_word = is_int8 ? 4 : 2, steps = (depth + per_word - 1) / per_word, panels = (columns + PANEL - 1) / PANEL;
    const std::vector<bf16> h = random_numbers(int64_t(rows) * depth, 1), weight = random_numbers(int64_t(columns) * depth, 2);
    std::vector<word> words(int64_t(panels) * steps * PANEL), values(int64_t(rows) * steps), tiles(1);
    std::vector<float> scale(panels * PANEL), row_scale(rows), out(int64_t(rows) * columns);
    std::vector<int32_t> offset(panels * PANEL);
    const Group group{words.data(), scale.data(), offset.data()};
    const Matrix matrix{&group, 1, panels, steps, columns, depth, 0, is_int8};
    const Source source{weight.data(), nullptr, columns, depth, 1};
    assay_pack(&source, &matrix, 0);
    const RowRoom room{reinterpret_cast<uint8_t*>(values.data()), row_scale.data(), tiles.data()};
    assay_product(&matrix, h.data(), rows, &room, out.data());
    double worst = 0, largest = 0;
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) {
            double expected = 0;
            if (is_int8) {
                int64_t sum = 0;
                for (int k = 0; k < steps * 4; ++k) {
                    const word column = matrix.panel(0, c / PANEL)[matrix.place(k / 4, c % PANEL)];
                    const Int8::Row row = Int8::Row(values[int64_t(r) * steps + k / 4] >> k % 4 * 8);
                    sum += int64_t(row - Int8::ROW_ZERO) * int8_t(column >> k % 4 * 8);
                }
                expected = float(sum) * (row_scale[r] * scale[c]);
            } else
                for (int k = 0; k < depth; ++k)
                    expected += double(to_float(h[int64_t(r) * depth + k])) * to_float(weight[int64_t(c) * depth + k]);
            worst = std::max(worst, std::abs(expected - out[int64_t(r) * columns + c]));
            largest = std::max(largest, std::abs(expected));
        }
    return worst / largest;
}

static double norm_error(int width) {
    const std::vector<bf16> numbers = random_numbers(2 * width, 3);
    std::vector<float> x(width), weight(width);
    std::vector<bf16> out(width);
    double square = 0, worst = 0;
    for (int i = 0; i < width; ++i) {
        x[i] = to_float(numbers[i]), weight[i] = to_float(numbers[width + i]);
        square += double(x[i]) * x[i];
    }
    assay_norm(x.data(), weight.data(), 1e-5f, 1, width, out.data());
    for (int i = 0; i < width; ++i) {
        const double expected = x[i] / std::sqrt(square / width + 1e-5) * weight[i];
        worst = std::max(worst, std::abs(expected - to_float(out[i])) / (std::abs(expected) + 1e-3));
    }
    return worst;
}

int main() {
    assay_configure(2, 0, 1, 1);
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 64})
        for (int depth : {32, 100, 1040}) {
            std::printf("bfloat16 %g rows %d depth %d\n", product_error(false, rows, depth, 72), rows, depth);
            std::printf("int8 %g rows %d depth %d\n", product_error(true, rows, depth, 72), rows, depth);
        }
    std::printf("norm %g width 100\n", norm_error(100));
    std::printf("for %s\n", assay_portable_for());
}
