/* SPDX-License-Identifier: Apache-2.0 */

/* "did you mean ...?": of facts, lists and words. */

#include <string.h>

#include "cleanup.h"
#include "condition.h"
#include "nearest.h"

const char *inq_did_you_mean(struct inq_rule_source *source, const char *word,
                             const char *const *names, size_t n)
{
    const char *near = inq_nearest(word, names, n);
    char *text = near ? inq_arena_printf(source->arena, "; did you mean \"%s\"?", near) : NULL;
    return text ? text : "";
}

#define MAX_SPELLINGS 1200u

/* "threads[].frames[].pc" as a rule writes it: "frame[0].pc", "crashed.tid", "module.name". */
static char *spell(struct inq_arena *arena, const struct inq_fact *fact, const char *element,
                   const char *list)
{
    size_t size = strlen(list);
    if (strncmp(fact->path, list, size) != 0 || strncmp(fact->path + size, "[].", 3) != 0 ||
        strchr(fact->path + size + 3, '['))
        return NULL;
    return inq_arena_printf(arena, "%s.%s", element, fact->path + size + 3);
}

static size_t spell_all(struct inq_arena *arena, const struct inq_fact_scope *scope,
                        const char **names)
{
    size_t count = 0, n = 0;
    const struct inq_fact *facts = inq_facts(&count);
    for (size_t i = 0; i < count && n + 3 + INQ_SCOPE_DEPTH < MAX_SPELLINGS; i++) {
        if (!strchr(facts[i].path, '['))
            names[n++] = facts[i].path;
        for (size_t k = 0; scope && k < scope->count; k++)
            if ((names[n] =
                     spell(arena, &facts[i], scope->items[k].name, scope->items[k].list->path)))
                n++;
        if ((names[n] = spell(arena, &facts[i], "crashed", "threads")))
            n++;
        if ((names[n] = spell(arena, &facts[i], "frame[0]", "threads[].frames")))
            n++;
    }
    return n;
}

const char *inq_fact_suggestion(struct inq_rule_source *source, const char *path,
                                const struct inq_fact_scope *scope)
{
    /* Only for the message: what it takes is given back at once. */
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    const char **names = arena ? INQ_ARENA_ARRAY(arena, MAX_SPELLINGS, const char *) : NULL;
    return names ? inq_did_you_mean(source, path, names, spell_all(arena, scope, names)) : "";
}

#define MAX_WORDS 32u

/* The nearest of "read|write|execute". */
const char *inq_word_suggestion(struct inq_rule_source *source, const char *word,
                                const char *values)
{
    const char *names[MAX_WORDS];
    size_t n = 0;
    char *copy = inq_arena_strdup(source->arena, values);
    for (char *at = copy; at && n < MAX_WORDS;) {
        names[n++] = at;
        at = strchr(at, '|');
        if (at)
            *at++ = '\0';
    }
    return inq_did_you_mean(source, word, names, n);
}

const char *inq_list_suggestion(struct inq_rule_source *source, const char *word)
{
    const char *names[64];
    size_t count = 0, n = 0;
    const struct inq_fact *facts = inq_facts(&count);
    names[n++] = "frames";
    for (size_t i = 0; i < count && n < INQ_ARRAY_SIZE(names); i++)
        if (!strchr(facts[i].path, '[') && inq_fact_element_of(&facts[i]))
            names[n++] = facts[i].path;
    return inq_did_you_mean(source, word, names, n);
}
