/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "grade.h"

/* ----------------------------------------------------------------------------------- words */

/* How a fact reads in a sentence; the others are shown by name. */
static const struct {
    const char *fact, *value, *text; /* value NULL: any, put in for %s */
} phrases[] = {
    {"signal.name", NULL, "the signal is %s"},
    {"fault.signal", NULL, "the fault raised %s"},
    {"crashed.stack.overflow", "true",
     "the stack pointer or the address is beyond the end of the stack"},
    {"crashed.stack.overflow_kind", NULL, "what used the stack up: %s"},
    {"crashed.cycle.length", NULL, "frames in one round of the recursion: %s"},
    {"signal.code", NULL, "si_code is %s"},
    {"signal.code_name", NULL, "the signal's code is %s"},
    {"signal.sent_by", "kernel", "the kernel raised it for what an instruction did"},
    {"signal.sent_by", "self", "the process sent it to itself"},
    {"signal.sent_by", "other", "another process sent it"},
    {"signal.sent_by", "init", "process 1 sent it"},
    {"signal.sender.pid", NULL, "the sender is process %s"},
    {"fault.address", NULL, "the address that failed is %s"},
    {"fault.address_class", NULL, "the class of that address is %s"},
    {"fault.access", NULL, "the access that failed is: %s"},
    {"fault.function", NULL, "it happened in %s"},
    {"fault.module", NULL, "it happened in the module %s"},
    {"fault.argument", NULL, "the argument was %s"},
    {"fault.operand.base_value", NULL, "the register the failing operand starts from held %s"},
    {"fault.reason", "non-canonical", "the instruction used an address that no pointer can be"},
    {"fault.reason", "misaligned", "the instruction needs an aligned operand and had none"},
    {"fault.reason", "privileged", "programs may not run the instruction"},
    {"fault.reason", "undeliverable-signal",
     "it was a page fault, and its signal found no room on the stack"},
    {"frame[0].pc", NULL, "the program counter is %s"},
    {"frame[0].module", NULL, "the program counter is in a loaded file"},
    {"frame[0].module", "none", "the program counter is in no loaded file"},
    {"frame[1].trust", "rule", "the caller is known by the return address on top of the stack"},
    {"abort.message", NULL, "the message before abort() was: %s"},
    {"core.machine", NULL, "the CPU is %s"},
    {"core.complete", "false", "the dump ends early"},
    {"core.notes_cut", "true", "the dump ends inside its notes"},
    {"core.filtered", "true", "writable memory was left out when the dump was written"},
};

/* `pattern` holds one %s. */
static char *fill_in(const char *pattern, const char *value)
{
    const char *hole = strstr(pattern, "%s");
    if (!hole)
        return strdup(pattern);
    char *text = NULL;
    int done = asprintf(&text, "%.*s%s%s", (int)(hole - pattern), pattern, value, hole + 2);
    return done < 0 ? NULL : text;
}

char *inq_finding_text(const struct inq_finding *finding)
{
    char *text = NULL;
    int done = -1;
    if (finding->says)
        return strdup(finding->says);
    if (inq_condition_is_compound(finding->condition)) {
        done = asprintf(&text, "%s: %s", finding->text, finding->seen);
        return done < 0 ? NULL : text;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(phrases); i++)
        if (strcmp(phrases[i].fact, finding->fact) == 0 &&
            (phrases[i].value ? strcmp(phrases[i].value, finding->seen) == 0
                              : strcmp(finding->seen, "none") != 0))
            return fill_in(phrases[i].text, finding->seen);
    if (strcmp(finding->seen, "none") == 0)
        return strdup(finding->text);
    done = asprintf(&text, "%s is %s", finding->fact, finding->seen);
    return done < 0 ? NULL : text;
}

/* ----------------------------------------------------------------------------------- lists */

/* Collects into one verdict; `failed` stands for no memory. */
struct writer {
    const struct inq_judgement *judgement;
    const struct inq_candidate *candidate;
    json_t *evidence, *against, *unknown;
    bool failed;
};

static void append(struct writer *writer, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0)
        writer->failed = true;
}

/* Takes the text, which may be NULL. */
static void append_text(struct writer *writer, json_t *list, char *text)
{
    append(writer, list, text ? json_string(text) : NULL);
    free(text);
}

static bool has_text(const json_t *list, const char *text)
{
    size_t index;
    json_t *entry;
    json_array_foreach (list, index, entry) {
        const char *other = json_string_value(json_object_get(entry, "text"));
        if (other && strcmp(other, text) == 0)
            return true;
    }
    return false;
}

/* Takes the text. The same words are not said twice. */
static void append_pair(struct writer *writer, json_t *list, char *text, const char *key,
                        const char *value)
{
    if (!text)
        writer->failed = true;
    else if (!has_text(list, text))
        append(writer, list, json_pack("{s:s, s:s}", "text", text, key, value));
    free(text);
}

static void note_first(void *first, const struct inq_fact *fact)
{
    const struct inq_fact **slot = first;
    if (!*slot)
        *slot = fact;
}

/* What would have to be read to know: the fact's line in the dictionary. */
static char *read_text(const struct inq_finding *finding)
{
    const struct inq_fact *fact = NULL;
    const char *path = finding->fact;
    char *text = NULL;
    inq_condition_facts(finding->condition, note_first, &fact);
    int done = fact ? asprintf(&text, "%s: %s", path, fact->doc) : asprintf(&text, "%s", path);
    return done < 0 ? NULL : text;
}

/* `read`: the rule's own words for what would decide; NULL: what the line asks for. Taken. */
static void add_unknown(struct writer *writer, const struct inq_finding *finding,
                        const char *prefix, char *read)
{
    char *text = NULL;
    if (asprintf(&text, "%s%s: %s", prefix, finding->text, finding->seen) < 0)
        text = NULL;
    _cleanup_free_ char *what = read ? read : read_text(finding);
    if (!what)
        writer->failed = true;
    append_pair(writer, writer->unknown, text, "read", what ? what : "");
}

static void add_findings(struct writer *writer)
{
    const struct inq_match *match = writer->candidate->match;
    for (size_t i = 0; i < match->n_findings; i++) {
        const struct inq_finding *finding = &match->findings[i];
        bool unless = i >= match->n_when && i < match->n_when + match->n_unless;
        if (finding->truth == INQ_YES && !unless)
            append_pair(writer, writer->evidence, inq_finding_text(finding), "fact", finding->fact);
        else if (finding->truth == INQ_MAYBE && !writer->candidate->explained_by)
            add_unknown(writer, finding, "", NULL);
    }
}

static char *against_text(const struct writer *writer, const struct inq_against *against)
{
    if (against->text)
        return inq_rule_render(against->text, writer->judgement->document,
                               writer->candidate->match);
    return strdup(inq_condition_text(against->when.items[0]));
}

static void add_against(struct writer *writer)
{
    const struct inq_match *match = writer->candidate->match;
    for (size_t i = 0; i < match->rule->n_against; i++) {
        const struct inq_against *against = &match->rule->against[i];
        if (match->against[i] == INQ_YES) {
            append_text(writer, writer->against, against_text(writer, against));
        } else if (match->against[i] == INQ_MAYBE && against->refutes) {
            /* What a refuting line asks for is worth a read. */
            struct inq_finding open = {.condition = against->when.items[0],
                                       .text = inq_condition_text(against->when.items[0]),
                                       .fact = inq_condition_fact(against->when.items[0]),
                                       .seen = (char *)"not known, and it would settle the matter"};
            add_unknown(writer, &open, "", NULL);
        }
    }
}

/* ---------------------------------------------------------------------------------- rivals */

/* What the rule says would decide between it and the rival; NULL without, or without memory. */
static char *rival_read(struct writer *writer, const struct inq_rival *rival)
{
    char *text = rival->read ? inq_rule_render(rival->read, writer->judgement->document,
                                               writer->candidate->match)
                             : NULL;
    if (rival->read && !text)
        writer->failed = true;
    return text;
}

/* The line that excludes the rival, as evidence; the lines that keep it in the race, as unknown. */
static void add_rival(struct writer *writer, const struct inq_rival *named,
                      const struct inq_rule *rival, enum inq_truth state)
{
    struct inq_match *match = NULL;
    if (!inq_evaluator_run(writer->judgement->evaluator, rival, true, &match)) {
        writer->failed = true;
        return;
    }
    for (size_t i = 0; i < match->n_when + match->n_unless; i++) {
        const struct inq_finding *finding = &match->findings[i];
        bool decides = i < match->n_when ? finding->truth == INQ_NO : finding->truth == INQ_YES;
        char *text = NULL;
        if (state == INQ_NO && decides) {
            _cleanup_free_ char *seen = inq_finding_text(finding);
            if (!seen || asprintf(&text, "not %s: %s", rival->id, seen) < 0)
                text = NULL;
            append_pair(writer, writer->evidence, text, "fact", finding->fact);
            break;
        }
        if (state == INQ_MAYBE && finding->truth == INQ_MAYBE) {
            if (asprintf(&text, "%s is not excluded: ", rival->id) < 0) {
                writer->failed = true;
                break;
            }
            add_unknown(writer, finding, text, rival_read(writer, named));
            free(text);
            break;
        }
    }
    inq_match_destroy(match);
}

/* It fits too: with the read that would decide it is open, without it speaks against. */
static void add_equal_rival(struct writer *writer, const struct inq_rival *named,
                            const struct inq_rule *rival)
{
    char *text = NULL;
    _cleanup_free_ char *read = rival_read(writer, named);
    if (asprintf(&text, "%s fits as well: %s", rival->id, rival->title) < 0)
        text = NULL;
    if (read)
        append_pair(writer, writer->unknown, text, "read", read);
    else
        append_text(writer, writer->against, text);
}

static bool explains(const struct inq_rule *rule, const char *id)
{
    for (size_t i = 0; i < rule->n_explains; i++)
        if (strcmp(rule->explains[i], id) == 0)
            return true;
    return false;
}

static void add_rivals(struct writer *writer)
{
    const struct inq_rule *rule = writer->candidate->rule;
    bool answer = inq_grade_is_answer(writer->candidate->grade) && !writer->candidate->explained_by;
    for (size_t i = 0; answer && i < rule->n_rivals; i++) {
        const char *id = rule->rivals[i].id;
        const struct inq_rule *rival = inq_rules_find(writer->judgement->rules, id);
        const struct inq_rule_state *state = inq_rule_state(writer->judgement, id);
        char *text = NULL;
        if (!rival) {
            if (asprintf(&text, "the rival signature %s is not loaded", id) < 0)
                text = NULL;
            append_pair(writer, writer->unknown, text, "read", id);
        } else if (state->when == INQ_YES && !state->refuted) {
            if (explains(rule, id) || explains(rival, rule->id))
                continue;
            add_equal_rival(writer, &rule->rivals[i], rival);
        } else if (writer->candidate->grade != INQ_GRADE_PROVEN) {
            add_rival(writer, &rule->rivals[i], rival, state->refuted ? INQ_YES : state->when);
        }
    }
}

static void add_marks(struct writer *writer)
{
    const struct inq_candidate *candidate = writer->candidate;
    char *text = NULL;
    if (candidate->explained_by) {
        if (asprintf(&text, "%s explains it: a symptom, not a cause of its own",
                     candidate->explained_by->id) < 0)
            text = NULL;
        append_text(writer, writer->against, text);
    }
    if (candidate->lowered_by_cut)
        append_text(writer, writer->against,
                    strdup(writer->judgement->truncated
                               ? "one grade lower: it rests on memory, and the dump ends early"
                               : "one grade lower: it rests on memory, and some of it was left out "
                                 "of the dump"));
    if (candidate->capped_external)
        append_text(writer, writer->against,
                    strdup("another process sent the signal: no instruction failed, and where the "
                           "threads stand is where the signal met them"));
    if (candidate->capped_unseen)
        append_text(writer, writer->against,
                    strdup("plausible at most: no dump of a real crash has shown this signature "
                           "yet"));
}

/* ----------------------------------------------------------------------------- one verdict */

static json_t *texts_json(const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        if (json_array_append_new(list, json_string(items[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *rendered(const struct writer *writer, const char *text)
{
    _cleanup_free_ char *filled =
        inq_rule_render(text, writer->judgement->document, writer->candidate->match);
    return filled ? json_string(filled) : NULL;
}

static json_t *cause_json(const struct writer *writer)
{
    _cleanup_free_ char *text =
        inq_rule_cause(writer->judgement->document, writer->candidate->match);
    return text ? json_string(text) : NULL;
}

static json_t *fix_json(struct writer *writer)
{
    const struct inq_rule *rule = writer->candidate->rule;
    json_t *list = json_array();
    for (size_t i = 0; i < rule->n_fixes; i++) {
        bool holds;
        if (!inq_rule_part_holds(&rule->fixes[i].when, writer->judgement->document,
                                 writer->candidate->match, &holds)) {
            writer->failed = true;
            break;
        }
        if (!holds)
            continue;
        json_t *commands = json_array();
        for (size_t c = 0; c < rule->fixes[i].n_commands; c++)
            append(writer, commands, rendered(writer, rule->fixes[i].commands[c]));
        append(writer, list,
               json_pack("{s:o, s:o}", "text", rendered(writer, rule->fixes[i].text), "commands",
                         commands));
    }
    return list;
}

/* json_object_set_new() takes NULL for a failure: one check is enough. */
static void set(struct writer *writer, json_t *verdict, const char *key, json_t *value)
{
    if (json_object_set_new(verdict, key, value) != 0)
        writer->failed = true;
}

json_t *inq_verdict_json(const struct inq_judgement *judgement,
                         const struct inq_candidate *candidate, size_t rank)
{
    const struct inq_rule *rule = candidate->rule;
    struct writer writer = {.judgement = judgement,
                            .candidate = candidate,
                            .evidence = json_array(),
                            .against = json_array(),
                            .unknown = json_array()};
    /* What is not believed is named, not told as a story; a symptom is mended with its cause. */
    bool told = inq_grade_is_answer(candidate->grade) || candidate->grade == INQ_GRADE_CONTEXT;
    add_findings(&writer);
    if (inq_grade_is_answer(candidate->grade) && !candidate->explained_by &&
        !inq_collision_evidence(judgement->document, candidate->match, writer.evidence))
        writer.failed = true;
    add_against(&writer);
    add_rivals(&writer);
    add_marks(&writer);

    json_t *verdict = json_object();
    set(&writer, verdict, "signature", json_string(rule->id));
    set(&writer, verdict, "title", json_string(rule->title));
    set(&writer, verdict, "grade", json_string(inq_grade_name(candidate->grade)));
    set(&writer, verdict, "rank", json_integer((json_int_t)rank));
    set(&writer, verdict, "cause", told ? cause_json(&writer) : json_null());
    set(&writer, verdict, "explains", texts_json(rule->explains, rule->n_explains));
    if (candidate->explained_by)
        set(&writer, verdict, "explained_by", json_string(candidate->explained_by->id));
    set(&writer, verdict, "evidence", writer.evidence);
    set(&writer, verdict, "against", writer.against);
    set(&writer, verdict, "unknown", writer.unknown);
    set(&writer, verdict, "fix",
        told && !candidate->explained_by ? fix_json(&writer) : json_array());
    set(&writer, verdict, "see", texts_json(rule->see, rule->n_see));
    if (writer.failed) {
        json_decref(verdict);
        return NULL;
    }
    return verdict;
}
