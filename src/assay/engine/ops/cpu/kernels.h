// The kernels that layer.cpp strings together, and the values that pass between them.
#pragma once

#include "common.h"

// Where the weights of one group lie. Groups may lie anywhere: experts are read from disk into whatever room is free.
struct Group {
    word* words;             // null: not in memory, and no row wants it
    float* scale;            // int8: per packed column; else null
    int32_t* offset;         // int8: per packed column, 128 * sum of its weights
};

// Packed weights of one or more groups: [panel of 64 columns][step][64] words each; as tiles
// [panel][block of 16 steps][4][16 steps][16] words, the last block filled with zeros.
struct Matrix {
    const Group* group;
    int groups, panels, steps;
    int columns;             // outputs of a group, before padding to whole panels
    int depth;               // numbers of a row
    int is_tiled, is_int8;

    int blocks() const { return (steps + SIDE - 1) / SIDE; }
    int steps_kept() const { return is_tiled ? blocks() * SIDE : steps; }
    word* panel(int group, int panel) const {
        return this->group[group].words + int64_t(panel) * steps_kept() * PANEL;
    }
    // Of a step of a column, from the start of its panel.
    int64_t place(int step, int column) const {
        if (!is_tiled) return int64_t(step) * PANEL + column;
        return (int64_t(step / SIDE) * 4 + column / LANES) * SIDE * LANES + step % SIDE * LANES + column % LANES;
    }
};

// Rows sorted by group.
struct Sorted {
    const int32_t* start;    // groups + 1: first sorted row of each
    const int32_t* row;      // sorted row -> row of the input; null: the same
};

// Room for the rows of a product. int8: values + ROW_ZERO (dot.h), and a scale for each row. AMX: the rows as tiles.
struct RowRoom {
    uint8_t* values;
    float* scale;
    word* tiles;
};

struct Heads {
    int query, kv, channels;
};

// Step in ops/__init__.py.
struct Ragged {
    int rows, sequences;
    const int32_t* positions;
    const int32_t* row_start;    // sequences + 1
    const int32_t* context;      // tokens up to the end of the chunk
    const int32_t* table_start;  // sequences + 1
    const int32_t* table;
};

// What is done to the queries, keys and values of a row before they are turned; null where a model does not do it.
struct Prepare {
    const float* bias;       // [query + 2 kv heads][channels]
    const float* q_norm;     // [channels]: RMS norm of each query head
    const float* k_norm;     // [channels]: of each key head
    float eps;
};

// Keys and values of one layer; cache.h says how they lie.
struct Cache {
    uint8_t* keys;
    uint8_t* values;
    int is_int8;
};

void norm(const float* x, const float* weight, float eps, int rows, int width, bf16* out);
void quantise(const bf16* x, int rows, int width, int64_t stride, const RowRoom& out);
// out (+)= rows of `h` times the weights of their groups, in the order of `sorted`.
void product(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted, float* out, bool add);
// Gate and up share the panels of `w`: out = silu(gate) * up.
void gate_up(const Matrix& w, const bf16* h, int rows, const RowRoom& room, const Sorted& sorted, bf16* out);
void attend(float* qkv, const Prepare& prepare, const float* turn, const Heads& heads, const Ragged& ragged,
            const Cache& cache, bf16* q, bf16* out);
// out (+)= y
void take(const bf16* y, int rows, int width, bool add, float* out);
void add_bias(const float* bias, int rows, int width, float* x);
void route(const bf16* h, const float* router, int rows, int width, int experts, int active, bool renormalises,
           int32_t* start, int32_t* row, int32_t* place, float* weight);
void combine(const float* y, const int32_t* place, const float* weight, int rows, int active, int width, float* x);
