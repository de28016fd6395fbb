// Many products in one sweep: each group of rows with its own packed weight. A dense product is one group.
//
// Weights lie as [group][panel of 64 columns][step][64] words, so a sweep reads them once, front to back.
// While a panel is multiplied, the next part is brought into L2: with few rows per group the sweep runs at
// the speed of memory or of arithmetic, whichever is slower, not at their sum.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels.h"
#include "tile.h"

constexpr int STEP_BLOCK = 512;   // steps per visit: 512 x 256 bytes of weights, an eighth of 1 MiB of L2
constexpr int ROW_BLOCK = 252;    // rows per visit: sums of 64 columns stay in L2

struct Grouped {
    const Matrix& w;
    const Sorted& sorted;
    const word* a;
    int64_t a_stride;       // words
};

struct Visit {
    int begin, end;         // sorted rows
    int group, panel;
    const word* weight;
};

inline std::vector<Visit> plan_visits(const Grouped& g) {
    std::vector<Visit> visits;
    for (int group = 0; group < g.w.groups; ++group) {
        const int first = g.sorted.start[group], rows = g.sorted.start[group + 1] - first;
        const int blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;  // of equal height: a low one would wait for memory
        for (int block = 0; block < blocks; ++block)
            for (int panel = 0; panel < g.w.panels; ++panel) {
                const int64_t place = int64_t(group) * g.w.panels + panel;
                visits.push_back({first + int(int64_t(rows) * block / blocks),
                                  first + int(int64_t(rows) * (block + 1) / blocks), group, panel,
                                  g.w.words + place * g.w.steps * PANEL});
            }
    }
    return visits;
}

// finish(visit, first sorted row, rows, sums[rows][64]) gets each finished piece while it is hot.
template <class Dot, class Finish>
void visit_panel(const Grouped& g, const Visit& v, const word* next, typename Dot::Sum* sums, Finish finish) {
    const int rows = v.end - v.begin;
    const int tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    const bool whole = g.w.steps <= STEP_BLOCK;
    for (int first = 0; first < g.w.steps; first += STEP_BLOCK) {
        const int steps = std::min(STEP_BLOCK, g.w.steps - first);
        const bool is_last = first + steps == g.w.steps;
        const char* upcoming = reinterpret_cast<const char*>(is_last ? next : v.weight + int64_t(first + steps) * PANEL);
        const int lines = upcoming ? std::max(1, 16 / tiles) : 0;  // a step is 4 lines; all tiles share the next part
        for (int t = 0, row = 0; t < tiles; ++t) {
            const int height = rows / tiles + (t < rows % tiles);
            const word* a[TILE_ROWS];
            for (int m = 0; m < height; ++m) {
                const int sorted = v.begin + row + m;
                a[m] = g.a + (g.sorted.row ? g.sorted.row[sorted] : sorted) * g.a_stride + first;
            }
            typename Dot::Sum* c = sums + (whole ? 0 : row) * PANEL;
            const int64_t share_bytes = int64_t(lines) * 64 * (steps / 4);
            Ahead ahead{upcoming + t * share_bytes, t * lines < 16 ? lines : 0};
            tile_of<Dot, PANEL / LANES>(height, a, Panel{v.weight + int64_t(first) * PANEL, PANEL}, steps, c,
                                        PANEL, first > 0, ahead);
            if (is_last) finish(v, v.begin + row, height, c);
            row += height;
        }
    }
}

template <class Dot, class Finish>
void multiply(const Grouped& g, Finish finish) {
    const std::vector<Visit> visits = plan_visits(g);
    share(int64_t(visits.size()), [&](int64_t i, bool last) {
        alignas(64) thread_local typename Dot::Sum sums[ROW_BLOCK * PANEL];
        const word* next = last ? nullptr : visits[i + 1].weight;
        visit_panel<Dot>(g, visits[i], next, sums, finish);
    });
}
