// Many products in one sweep: each group of rows with its own packed weight. A dense product is one group.
//
// A sweep reads the weights of a group once for every 252 rows, front to back. While a panel is multiplied, the next
// part is brought into L2: with few rows per group the sweep runs at the speed of memory or of arithmetic, whichever
// is slower, not at their sum. A group is multiplied by vectors or, where AMX runs and it has rows enough, by tiles.
#pragma once

#include <algorithm>
#include <vector>

#include "amx.h"
#include "kernels.h"
#include "tile.h"

constexpr int STEP_BLOCK = 512;   // steps per visit: 512 x 256 bytes of weights, an eighth of 1 MiB of L2
constexpr int ROW_BLOCK = 252;    // rows per visit: sums of 64 columns stay in L2
constexpr int TILE_BLOCK = 16;    // the same in tiles of 16 rows
constexpr int64_t TILE_BLOCK_BYTES = 1 << 20;  // and their bytes, so that the rows stay in L2 too

struct Grouped {
    const Matrix& w;
    const Sorted& sorted;
    const word* a;
    int64_t a_stride;       // words
    word* tiles;            // room for the rows as tiles
};

struct Visit {
    int begin, end;         // sorted rows
    int group, panel;
    const word* weight;
    const word* tiles;      // rows begin .. end: [tile of 16 rows][block of 16 steps][16 rows][16 words]; or null
};

// Rows of one tile, and where it goes.
struct TileOfRows {
    int begin, end;
    word* to;
};

struct Plan {
    std::vector<Visit> visits;
    std::vector<TileOfRows> tiles;
};

template <class Dot>
bool runs_on_tiles(const Matrix& w, int rows) {
    return ASSAY_TILES && w.is_tiled && instruction_set == InstructionSet::amx &&
           rows >= tiles_from[Dot::per_word == 4];
}

// Blocks of rows that are visited together, of equal height: a low one would wait for memory.
template <class Dot>
Plan plan_visits(const Grouped& g) {
    Plan plan;
    const int64_t tile_words = int64_t(g.w.blocks()) * SIDE * SIDE;
    word* to = g.tiles;
    for (int group = 0; group < g.w.groups; ++group) {
        const int first = g.sorted.start[group], last = g.sorted.start[group + 1], rows = last - first;
        const bool on_tiles = runs_on_tiles<Dot>(g.w, rows);
        const int unit = on_tiles ? SIDE : 1, units = (rows + unit - 1) / unit;
        const int fitting = int(TILE_BLOCK_BYTES / (tile_words * int64_t(sizeof(word))));
        const int most = on_tiles ? std::min(TILE_BLOCK, std::max(2, fitting)) : ROW_BLOCK;
        const int blocks = (units + most - 1) / most;
        for (int block = 0; block < blocks; ++block) {
            const int from = int(int64_t(units) * block / blocks), until = int(int64_t(units) * (block + 1) / blocks);
            for (int panel = 0; panel < g.w.panels; ++panel)
                plan.visits.push_back({first + from * unit, std::min(last, first + until * unit), group, panel,
                                       g.w.panel(group, panel), on_tiles ? to + from * tile_words : nullptr});
        }
        if (!on_tiles) continue;
        for (int row = first; row < last; row += SIDE, to += tile_words)
            plan.tiles.push_back({row, std::min(row + SIDE, last), to});
    }
    return plan;
}

inline const word* row_of(const Grouped& g, int sorted) {
    return g.a + (g.sorted.row ? g.sorted.row[sorted] : sorted) * g.a_stride;
}

// finish(visit, first sorted row, rows, sums[rows][64]) gets each finished piece while it is hot.
template <class Dot, class Columns, class Finish>
void visit_vectors(const Grouped& g, const Visit& v, const word* next, typename Dot::Sum* sums, Finish finish) {
    const int rows = v.end - v.begin;
    const int tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    const bool whole = g.w.steps <= STEP_BLOCK;
    for (int first = 0; first < g.w.steps; first += STEP_BLOCK) {
        const int steps = std::min(STEP_BLOCK, g.w.steps - first);
        const bool is_last = first + steps == g.w.steps;
        const char* upcoming = reinterpret_cast<const char*>(is_last ? next : v.weight + int64_t(first + steps) * PANEL);
        // A step is 4 lines; all tiles share the next part. One row alone reads as fast as the processor fetches by itself.
        const int lines = upcoming && rows > 1 ? std::max(1, 16 / tiles) : 0;
        for (int t = 0, row = 0; t < tiles; ++t) {
            const int height = rows / tiles + (t < rows % tiles);
            const word* a[TILE_ROWS];
            for (int m = 0; m < height; ++m) a[m] = row_of(g, v.begin + row + m) + first;
            typename Dot::Sum* c = sums + (whole ? 0 : row) * PANEL;
            const int64_t share_bytes = int64_t(lines) * 64 * (steps / 4);
            Ahead ahead{upcoming + t * share_bytes, t * lines < 16 ? lines : 0};
            tile_of<Dot, PANEL / LANES>(height, a, Columns{v.weight + int64_t(first) * PANEL}, steps, c, PANEL,
                                        first > 0, ahead);
            if (is_last) finish(v, v.begin + row, height, c);
            row += height;
        }
    }
}

#if ASSAY_TILES
template <class Dot, class Finish>
void visit_tiles(const Grouped& g, const Visit& v, const word* next, typename Dot::Sum* sums, Finish finish) {
    const int rows = v.end - v.begin, tiles = (rows + SIDE - 1) / SIDE, blocks = g.w.blocks();
    const int64_t tile_words = int64_t(blocks) * TILE_WORDS;
    const int at_once = tiles == 1 ? BLOCKS_OF_ONE_TILE : BLOCKS_AT_ONCE;
    const int sweeps = tiles / 2 * 2 + tiles % 2;  // of one block: each takes an equal share of the next weights
    Tiles::configure();
    for (int first = 0; first < blocks; first += at_once) {
        const int count = std::min(at_once, blocks - first);
        const word* weight = v.weight + int64_t(first) * SIDE * PANEL;
        const word* upcoming = first + count == blocks ? next : weight + int64_t(count) * SIDE * PANEL;
        AheadOfTiles ahead{upcoming, upcoming ? (SIDE * 4 + sweeps - 1) / sweeps : 0};
        const word* a = v.tiles + int64_t(first) * TILE_WORDS;
        for (int half = 0; half < 2; ++half)
            for (int t = 0; t + 1 < tiles; t += 2)
                multiply_square<Dot>(a + t * tile_words, tile_words, weight + half * 2 * TILE_WORDS, count,
                                     sums + t * SIDE * PANEL + half * HALF, first > 0, ahead);
        if (tiles % 2)
            multiply_row<Dot>(a + (tiles - 1) * tile_words, weight, count, sums + (tiles - 1) * SIDE * PANEL,
                              first > 0, ahead);
    }
    Tiles::release();
    finish(v, v.begin, rows, sums);
}

inline void gather(const Grouped& g, const TileOfRows& tile) {
    const int64_t blocks = g.w.blocks(), whole = g.w.steps / SIDE, rest = g.w.steps % SIDE;
    for (int r = 0; r < SIDE; ++r) {
        word* to = tile.to + r * SIDE;
        if (tile.begin + r >= tile.end) {
            for (int64_t b = 0; b < blocks; ++b) std::memset(to + b * TILE_WORDS, 0, 64);
            continue;
        }
        const word* from = row_of(g, tile.begin + r);
        for (int64_t b = 0; b < whole; ++b) std::memcpy(to + b * TILE_WORDS, from + b * SIDE, 64);
        if (rest) {
            std::memset(to + whole * TILE_WORDS, 0, 64);
            std::memcpy(to + whole * TILE_WORDS, from + whole * SIDE, rest * sizeof(word));
        }
    }
}
#endif

template <class Dot, class Finish>
void multiply(const Grouped& g, Finish finish) {
    const Plan plan = plan_visits<Dot>(g);
#if ASSAY_TILES
    const int64_t words = int64_t(SIDE) * g.w.steps;
    share_numbers(int64_t(plan.tiles.size()), words, [&](int64_t i, bool) { gather(g, plan.tiles[i]); });
#endif
    share(int64_t(plan.visits.size()), [&](int64_t i, bool last) {
        alignas(64) thread_local typename Dot::Sum sums[TILE_BLOCK * SIDE * PANEL];
        const Visit& v = plan.visits[i];
        const word* next = last ? nullptr : plan.visits[i + 1].weight;
#if ASSAY_TILES
        if (v.tiles) {
            visit_tiles<Dot>(g, v, next, sums, finish);
            return;
        }
#endif
        if (g.w.is_tiled)
            visit_vectors<Dot, TiledPanel>(g, v, next, sums, finish);
        else
            visit_vectors<Dot, Panel>(g, v, next, sums, finish);
    });
}
