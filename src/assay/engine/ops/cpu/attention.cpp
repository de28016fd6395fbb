// Causal attention of ragged sequences over paged keys and values, prefill and decode alike. Query heads that share a KV
// head are rows of one product.
#include <algorithm>
#include <vector>

#include "cache.h"
#include "tile.h"

constexpr int MOST_ROWS = 32; // query rows of one piece of work

static void turn_query(const float* from, const float* turn, int channels, bool is_spread, float* turned, bf16* to) {
    rotate(from, turn, channels, turned);
    if (is_spread) spread(turned, channels);
    for (int i = 0; i < channels; ++i) to[i] = to_bf16(turned[i]);
}

static void prepare_row(const Prepare& p, const Heads& h, float* row) {
    if (p.bias)
        for (int i = 0; i < (h.query + 2 * h.kv) * h.channels; ++i) row[i] += p.bias[i];
    if (!p.q_norm) return;
    for (int head = 0; head < h.query + h.kv; ++head, row += h.channels) {
        const float* weight = head < h.query ? p.q_norm : p.k_norm;
        const float scale = inverse_rms(row, h.channels, p.eps);
        for (int i = 0; i < h.channels; ++i) row[i] *= scale * weight[i];
    }
}

// Rows of one piece: query heads of one KV head, over neighbouring tokens of one sequence.
struct Piece {
    int sequence, head, first, tokens;  // first: token of the chunk
};

struct PieceRoom {
    alignas(64) float score[MOST_ROWS][SPAN];
    alignas(64) bf16 share[MOST_ROWS][SPAN];
    float most[MOST_ROWS], total[MOST_ROWS];
    std::vector<float> sum;
    Widened widened;
};

// A step of keys: 16 columns from each of several blocks.
struct KeyColumns {
    const word* const* keys;
    inline const word* operator()(int step, int n) const { return keys[n] + step * BLOCK; }
};

// A step of values: the channels of two neighbouring tokens, block after block.
struct ValueColumns {
    const word* const* values;
    int64_t channels, from;
    inline const word* operator()(int step, int n) const {
        return values[step / (BLOCK / 2)] + step % (BLOCK / 2) * channels + from + n * LANES;
    }
};

static void score_span(const Span& span, int channels, const word* const* q, int rows, PieceRoom& s) {
    const int steps = channels / 2;
    for (int r = 0; r < rows; r += TILE_ROWS) {
        const int height = std::min(TILE_ROWS, rows - r);
        for (int b = 0; b < span.count; b += 4) {
            const KeyColumns keys{span.keys + b};
            // The values of these blocks are wanted next: as many lines as there are steps in each block.
            const auto ahead = [&, b](int step) {
                const int some = r || span.is_int8 ? 0 : std::min(4, span.count - b);
                for (int n = 0; n < some; ++n)
                    for (int line = 0; line < 4; ++line)
                        __builtin_prefetch(span.values[b + n] + (step + line) * LANES, 0, 2);
            };
            float* score = &s.score[r][b * BLOCK];
            switch (span.count - b) {
                case 1: tile_of<Bf16, 1>(height, q + r, keys, steps, score, SPAN, false, ahead); break;
                case 2: tile_of<Bf16, 2>(height, q + r, keys, steps, score, SPAN, false, ahead); break;
                case 3: tile_of<Bf16, 3>(height, q + r, keys, steps, score, SPAN, false, ahead); break;
                default: tile_of<Bf16, 4>(height, q + r, keys, steps, score, SPAN, false, ahead);
            }
        }
    }
}

// Running softmax of one row over `keys` more scores, of which the first `visible` count. The scales of keys and values
// are taken into the scores and the shares.
static void weigh(float* score, bf16* share, int keys, int visible, float scale, const Widened& of, float& most,
                  float& total, float* sum, int channels) {
    for (int i = 0; i < keys; ++i) score[i] *= scale * of.key_scale[i];
    for (int i = std::max(0, visible); i < keys; ++i) score[i] = -1e30f;
    float tops[LANES];
    for (float& top : tops) top = most;
    for (int i = 0; i < keys; i += LANES)
        for (int j = 0; j < LANES; ++j) tops[j] = score[i + j] > tops[j] ? score[i + j] : tops[j];
    const float top = *std::max_element(tops, tops + LANES);
    const float shrink = fast_exp(most - top);
    float lanes[LANES] = {};
    for (int i = 0; i < keys; i += LANES)
        for (int j = 0; j < LANES; ++j) {
            const float value = fast_exp(score[i + j] - top);
            share[i + j] = to_bf16(value * of.value_scale[i + j]);
            lanes[j] += value;
        }
    total *= shrink;
    for (float lane : lanes) total += lane;
    for (int i = 0; i < channels; ++i) sum[i] *= shrink;
    most = top;
}

static void gather_values(const Span& span, int channels, const Span& next, int rows, PieceRoom& s) {
    const int steps = span.count * BLOCK / 2;
    for (int r = 0; r < rows; r += TILE_ROWS) {
        const int height = std::min(TILE_ROWS, rows - r);
        const word* shares[TILE_ROWS];
        for (int m = 0; m < height; ++m) shares[m] = reinterpret_cast<const word*>(s.share[r + m]);
        float* sum = s.sum.data() + int64_t(r) * channels;
        int c = 0;
        for (; c + PANEL <= channels; c += PANEL) {
            // Four steps of these 64 columns are half as many lines as a block of 64 channels of keys.
            const auto ahead = [&](int step) {
                const int block = step / (BLOCK / 2);
                if (r || next.is_int8 || block >= next.count) return;
                const word* keys = next.keys[block] + (c + step % (BLOCK / 2) * 8) * BLOCK / 2;
                for (int line = 0; line < 16; ++line) __builtin_prefetch(keys + line * LANES, 0, 2);
            };
            tile_of<Bf16, 4>(height, shares, ValueColumns{span.values, channels, c}, steps, sum + c, channels, true, ahead);
        }
        for (; c < channels; c += LANES)
            tile_of<Bf16, 1>(height, shares, ValueColumns{span.values, channels, c}, steps, sum + c, channels, true);
    }
}

static int keys_of(const Piece& p, const Ragged& ragged) {
    const int chunk = ragged.row_start[p.sequence + 1] - ragged.row_start[p.sequence];
    return ragged.context[p.sequence] - chunk + p.first + p.tokens;
}

static void attend_piece(const Piece& p, const Heads& h, const Ragged& ragged, const Cache& cache, const bf16* q,
                         bf16* out, const Piece* following, PieceRoom& s) {
    const int group = h.query / h.kv, rows = p.tokens * group;
    const int chunk = ragged.row_start[p.sequence + 1] - ragged.row_start[p.sequence];
    const int position = ragged.context[p.sequence] - chunk + p.first;  // of the piece's first token
    const int64_t first_row = ragged.row_start[p.sequence] + p.first;
    const float scale = 1.0f / std::sqrt(float(h.channels));
    const word* queries[MOST_ROWS];
    int64_t places[MOST_ROWS];
    for (int r = 0; r < rows; ++r) {
        places[r] = ((first_row + r / group) * h.query + p.head * group + r % group) * h.channels;
        queries[r] = reinterpret_cast<const word*>(q + places[r]);
        s.most[r] = -1e30f;
        s.total[r] = 0;
    }
    s.sum.assign(int64_t(rows) * h.channels, 0.0f);
    if (!cache.is_int8) s.widened.take_ones();
    const int seen = position + p.tokens;
    const int32_t* table = ragged.table + ragged.table_start[p.sequence];
    const auto first_span = [&](const Piece& piece) {
        return span_of(h, cache, ragged.table + ragged.table_start[piece.sequence], keys_of(piece, ragged), piece.head);
    };
    Span span = first_span(p);
    for (int from = 0; from < seen; from += SPAN) {
        const int left = seen - from - SPAN;
        const Span next = left > 0 ? span_of(h, cache, table + (from + SPAN) / BLOCK, left, p.head)
                          : following ? first_span(*following) : Span{};
        if (span.is_int8) s.widened.take(span, h.channels, next);
        score_span(span, h.channels, queries, rows, s);
        for (int r = 0; r < rows; ++r)
            weigh(s.score[r], s.share[r], span.count * BLOCK, position + r / group + 1 - from, scale, s.widened,
                  s.most[r], s.total[r], s.sum.data() + int64_t(r) * h.channels, h.channels);
        gather_values(span, h.channels, next, rows, s);
        span = next;
    }
    for (int r = 0; r < rows; ++r) {
        float* sum = s.sum.data() + int64_t(r) * h.channels;
        if (cache.is_int8) spread(sum, h.channels);
        for (int i = 0; i < h.channels; ++i) out[places[r] + i] = to_bf16(sum[i] / s.total[r]);
    }
}

static std::vector<Piece> plan_pieces(const Heads& h, const Ragged& ragged) {
    const int most = std::max(1, MOST_ROWS / (h.query / h.kv));
    std::vector<Piece> pieces;
    for (int s = 0; s < ragged.sequences; ++s)
        for (int head = 0; head < h.kv; ++head) {
            const int chunk = ragged.row_start[s + 1] - ragged.row_start[s];
            for (int first = 0; first < chunk; first += most)
                pieces.push_back({s, head, first, std::min(most, chunk - first)});
        }
    return pieces;
}

// Clears what is left of the blocks that this step began.
static void clear_ends(const Heads& h, const Ragged& ragged, const Cache& cache) {
    share_numbers(int64_t(ragged.sequences) * h.kv, h.channels * BLOCK, [&](int64_t i, bool) {
        const int sequence = int(i / h.kv), context = ragged.context[sequence], taken = context % BLOCK;
        const int before = context - (ragged.row_start[sequence + 1] - ragged.row_start[sequence]);
        if (!taken || before > context - taken) return;
        const int32_t block = ragged.table[ragged.table_start[sequence] + context / BLOCK];
        clear_values(h, cache, block, int(i % h.kv), taken);
    });
}

// qkv: [row][query + 2 kv heads][channels], prepared in place; q: room for the turned queries; out: [row][query
// heads][channels].
void attend(float* qkv, const Prepare& prepare, const float* turn, const Heads& h, const Ragged& ragged,
            const Cache& cache, bf16* q, bf16* out) {
    const int64_t width = int64_t(h.query + 2 * h.kv) * h.channels;
    std::vector<int32_t> sequence_of(ragged.rows);
    for (int s = 0; s < ragged.sequences; ++s)
        std::fill(sequence_of.begin() + ragged.row_start[s], sequence_of.begin() + ragged.row_start[s + 1], s);
    share_numbers(ragged.rows, width, [&](int64_t r, bool) {
        thread_local std::vector<float> turned;
        turned.resize(h.channels);
        float* row = qkv + r * width;
        prepare_row(prepare, h, row);
        const float* turn_here = turn + int64_t(ragged.positions[r]) * h.channels;
        for (int head = 0; head < h.query; ++head)
            turn_query(row + head * h.channels, turn_here, h.channels, cache.is_int8, turned.data(),
                       q + (r * h.query + head) * h.channels);
        const int32_t* table = ragged.table + ragged.table_start[sequence_of[r]];
        const float* k = row + int64_t(h.query) * h.channels;
        keep(k, k + int64_t(h.kv) * h.channels, turn_here, h, cache, table[ragged.positions[r] / BLOCK],
             ragged.positions[r] % BLOCK, turned.data());
    });
    clear_ends(h, ragged, cache);
    const std::vector<Piece> pieces = plan_pieces(h, ragged);
    share(int64_t(pieces.size()), [&](int64_t i, bool last) {
        thread_local PieceRoom scratch;
        attend_piece(pieces[i], h, ragged, cache, q, out, last ? nullptr : &pieces[i + 1], scratch);
    });
}
