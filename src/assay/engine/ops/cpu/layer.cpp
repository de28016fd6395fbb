// The two blocks of a layer, each one call: what happens between kernels would otherwise run in Python.
#include "kernels.h"

struct Attention {
    const float* norm;
    float eps;
    Matrix qkv, out;
    const float* qkv_bias;   // [query + 2 kv heads][channels]; null where a model has none, as are the next three
    const float* out_bias;   // [hidden]
    const float* q_norm;     // [channels]
    const float* k_norm;     // [channels]
    Heads heads;
    const float* turn;       // [position][cos of C/2 angles, sin of C/2 angles]
};

struct Moe {
    const float* norm;
    float eps;
    const float* router;     // [expert][hidden]
    int experts, active;
    int renormalises;        // shares of a row's active experts sum to 1
    Matrix gate_up, down;
};

// Routing in ops/__init__.py.
struct Routing {
    bf16* h;
    int32_t* start;
    int32_t* row;
    int32_t* place;
    float* weight;
};

// Memory for the rows of a step between the kernels of a block.
struct Room {
    bf16* h;                 // [row][hidden]
    float* qkv;              // [row][query + 2 kv heads][channels]
    bf16* turned;            // [row][query heads][channels]
    bf16* attended;          // [row][query heads][channels]
    bf16* inner;             // [row of an expert][width of an expert]
    float* experts;          // [row of an expert][hidden]
    RowRoom row_room;
};

static void dense(const Matrix& w, const bf16* h, int rows, const RowRoom& room, float* out, bool add) {
    const int32_t start[] = {0, rows};
    product(w, h, rows, room, {start, nullptr}, out, add);
}

extern "C" {

void assay_norm(const float* x, const float* weight, float eps, int rows, int width, bf16* out) {
    norm(x, weight, eps, rows, width, out);
}

void assay_product(const Matrix* w, const bf16* h, int rows, const RowRoom* room, float* out) {
    dense(*w, h, rows, *room, out, false);
}

// What lies between the two projections of attention, for those that are multiplied elsewhere: room->qkv is what they
// gave, room->attended what the second is to read.
void assay_attend(const Attention* a, const Cache* cache, const Ragged* step, const Room* room) {
    attend(room->qkv, {a->qkv_bias, a->q_norm, a->k_norm, a->eps}, a->turn, a->heads, *step, *cache, room->turned,
           room->attended);
}

void assay_add_attention(const Attention* a, const Cache* cache, const Ragged* step, const Room* room, float* x) {
    norm(x, a->norm, a->eps, step->rows, a->qkv.depth, room->h);
    dense(a->qkv, room->h, step->rows, room->row_room, room->qkv, false);
    assay_attend(a, cache, step, room);
    dense(a->out, room->attended, step->rows, room->row_room, x, true);
    if (a->out_bias) add_bias(a->out_bias, step->rows, a->out.columns, x);
}

// out (+)= rows that were multiplied elsewhere, and a bias, where there is one.
void assay_take(const bf16* y, const float* bias, int rows, int width, int add, float* out) {
    take(y, rows, width, add, out);
    if (bias) add_bias(bias, rows, width, out);
}

void assay_route(const Moe* m, const float* x, int rows, const Routing* out) {
    const int width = m->gate_up.depth;
    norm(x, m->norm, m->eps, rows, width, out->h);
    route(out->h, m->router, rows, width, m->experts, m->active, m->renormalises, out->start, out->row, out->place,
          out->weight);
}

void assay_add_experts(const Moe* m, const Routing* r, int rows, const Room* room, float* x) {
    gate_up(m->gate_up, r->h, rows, room->row_room, {r->start, r->row}, room->inner);
    product(m->down, room->inner, rows * m->active, room->row_room, {r->start, nullptr}, room->experts, false);
    combine(room->experts, r->place, r->weight, rows, m->active, m->down.columns, x);
}

}
