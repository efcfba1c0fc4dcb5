/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which of the program's own libraries has a rival that came later? What the program began with is
 * found first by everybody: a wheel with an OpenSSL of its own that is loaded into a server linked
 * with the system's calls the system's. That is how ELF is meant, and yet no acquittal. Nearly all
 * slots lead to such libraries (libc), so only a sample of their names is asked for.
 */

#include "graph.h"

#define SAMPLES 16u
#define TRIES 256u /* symbols that are looked at for them */
#define LEAST_SHARED                                                                               \
    12u /* names of the sample: three of four, else it merely holds some pieces                    \
         */

struct sample {
    const char *names[SAMPLES];
    uint32_t hashes[SAMPLES];
    unsigned count;
};

static void take_sample(const struct inq_dynamic *d, struct sample *sample)
{
    const size_t step = d->n_symbols / TRIES + 1;
    struct inq_sym symbol;

    sample->count = 0;
    for (size_t i = 0; i < d->n_symbols && sample->count < SAMPLES; i += step)
        if (inq_dynamic_symbol(d, i, &symbol) && symbol.section != SHN_UNDEF &&
            symbol.bind == STB_GLOBAL && symbol.type == STT_FUNC && symbol.name[0] != '\0' &&
            (symbol.name[0] != '_' || symbol.name[1] == 'Z')) {
            sample->names[sample->count] = symbol.name;
            sample->hashes[sample->count++] = inq_gnu_hash(symbol.name);
        }
}

/* Three of four names: else it merely holds some pieces of the other. */
static bool shares(struct inq_graph *graph, const struct sample *sample,
                   const struct inq_dynamic *other)
{
    const unsigned least = sample->count - sample->count / 4;
    unsigned found = 0;
    struct inq_sym symbol;

    for (unsigned i = 0; i < sample->count && found + sample->count - i >= least; i++) {
        const struct inq_wanted wanted = {
            .name = sample->names[i], .hash = sample->hashes[i], .steps_left = &graph->steps_left};

        found += inq_dynamic_may_define(other, wanted.hash) &&
                 inq_dynamic_find(other, &wanted, &symbol, NULL);
    }
    return found >= least;
}

bool inq_graph_find_contested(struct inq_graph *graph)
{
    struct sample sample;

    graph->contested = INQ_ARENA_ARRAY(graph->arena, graph->words, uint64_t);
    if (!graph->contested)
        return false;
    for (size_t i = 0; i < graph->count; i++) {
        if (!inq_set_has(graph->main, i) || !graph->dynamic[i].read || graph->bound[i].is_linker)
            continue;
        take_sample(&graph->dynamic[i], &sample);
        for (size_t k = 0; sample.count >= 2 && k < graph->count; k++)
            if (graph->bound[k].loaded && graph->bound[k].space == 0 && graph->dynamic[k].read &&
                !inq_set_has(graph->main, k) && shares(graph, &sample, &graph->dynamic[k])) {
                inq_set_add(graph->contested, i);
                break;
            }
    }
    return true;
}
