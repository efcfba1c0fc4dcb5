/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a verdict about a collision rests on, in sentences: that "some collision fits" tells a
 * reader nothing. A sentence is left out when one of the facts that it needs is not known.
 */

#include <stdlib.h>
#include <string.h>

#include "grade.h"

static const struct {
    const char *needs, *value, *text; /* value NULL: any */
} sentences[] = {
    {"collision.crash.symbol", NULL,
     "the slot of {collision.crash.from} for {collision.crash.symbol} is bound to "
     "{collision.crash.actual}; by its own libraries it would be bound to "
     "{collision.crash.expected}"},
    {"collision.crash.size_actual", NULL,
     "{collision.crash.symbol} has {collision.crash.size_expected|?} bytes in "
     "{collision.crash.expected} and {collision.crash.size_actual} in {collision.crash.actual}"},
    {"collision.crash.value", NULL,
     "at offset {collision.crash.offset|?} of that object stands {collision.crash.value}"},
    {"collision.crash.actual.scope", "global",
     "{collision.crash.actual} was loaded RTLD_GLOBAL (its scope is global): what came later was "
     "bound to it"},
    {"collision.crash.actual.owner.package", NULL,
     "{collision.crash.actual} belongs to {collision.crash.actual.owner.package} "
     "{collision.crash.actual.owner.version|}, required by: "
     "{collision.crash.actual.owner.requested_by|nobody that is known}"},
    {"collision.crash.from.owner.package", NULL,
     "{collision.crash.from} belongs to {collision.crash.from.owner.package} "
     "{collision.crash.from.owner.version|}, required by: "
     "{collision.crash.from.owner.requested_by|nobody that is known}"},
};

static bool is_about_collision(const struct inq_match *match)
{
    for (size_t i = 0; i < match->scope.count; i++)
        if (match->scope.items[i].name && strcmp(match->scope.items[i].name, "collision") == 0)
            return true;
    return false;
}

bool inq_collision_evidence(const json_t *document, const struct inq_match *match, json_t *list)
{
    if (!is_about_collision(match))
        return true;
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        struct inq_fact_value fact =
            inq_evidence_get_in(document, sentences[i].needs, &match->scope);
        if (fact.known != INQ_KNOWN)
            continue;
        const char *value = json_string_value(fact.value);
        if (sentences[i].value && (!value || strcmp(value, sentences[i].value) != 0))
            continue;
        char *text = inq_rule_render(sentences[i].text, document, match);
        json_t *entry = text ? json_pack("{s:s, s:s}", "text", text, "fact", "collisions") : NULL;
        free(text);
        if (!entry || json_array_append_new(list, entry) != 0)
            return false;
    }
    return true;
}
