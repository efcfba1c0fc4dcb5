/* SPDX-License-Identifier: Apache-2.0 */

/* A rule over a document, line by line. */

#include "cleanup.h"
#include "verdict.h"

static const char *const truths[] = {[INQ_NO] = "no", [INQ_YES] = "yes", [INQ_MAYBE] = "unknown"};

static bool append_line(json_t *lines, const char *section, const char *effect,
                        const struct inq_finding *finding)
{
    json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:O*}", "section", section, "text",
                             finding->text, "truth", truths[finding->truth], "seen", finding->seen,
                             "effect", effect, "lines", finding->lines);
    return json_array_append_new(lines, line) == 0;
}

static bool append_lines(json_t *lines, const struct inq_match *match)
{
    const struct {
        const char *section;
        size_t count;
    } sections[] = {{"when", match->n_when},
                    {"unless", match->n_unless},
                    {"strong", match->n_strong},
                    {"proof", match->n_proof}};
    size_t at = 0;
    for (size_t s = 0; s < INQ_ARRAY_SIZE(sections); s++)
        for (size_t i = 0; i < sections[s].count; i++)
            if (!append_line(lines, sections[s].section, NULL, &match->findings[at++]))
                return false;
    for (size_t i = 0; i < match->n_against_findings; i++) {
        const struct inq_finding *finding = &match->against_findings[i];
        bool refutes = match->rule->against[finding->item].refutes;
        if (!append_line(lines, "against", refutes ? "refutes" : "lowers", finding))
            return false;
    }
    return true;
}

static const char *rival_state(struct inq_evaluator *evaluator, const struct inq_rule *rival,
                               bool *ret_failed)
{
    struct inq_match *match = NULL;
    const char *state = "excluded";
    if (!rival)
        return "not loaded";
    if (!inq_evaluator_run(evaluator, rival, false, &match)) {
        *ret_failed = true;
        return state;
    }
    if (match)
        state = match->when == INQ_MAYBE ? "unknown" : "fits";
    for (size_t i = 0; match && i < rival->n_against; i++)
        if (rival->against[i].refutes && match->against[i] == INQ_YES)
            state = "refuted";
    inq_match_destroy(match);
    return state;
}

static bool append_rivals(json_t *list, const struct inq_rules *rules, const json_t *document,
                          struct inq_evaluator *evaluator, const struct inq_match *match)
{
    bool failed = false;
    for (size_t i = 0; i < match->rule->n_rivals && !failed; i++) {
        const struct inq_rival *rival = &match->rule->rivals[i];
        _cleanup_free_ char *read =
            rival->read ? inq_rule_render(rival->read, document, match) : NULL;
        const char *state = rival_state(evaluator, inq_rules_find(rules, rival->id), &failed);
        json_t *entry =
            json_pack("{s:s, s:s, s:s*}", "id", rival->id, "state", state, "read", read);
        failed = failed || (rival->read && !read) || json_array_append_new(list, entry) != 0;
    }
    return !failed;
}

json_t *inq_verdict_explain(const struct inq_rules *rules, const struct inq_rule *rule,
                            const json_t *document)
{
    _cleanup_(inq_evaluator_destroyp) struct inq_evaluator *evaluator =
        inq_evaluator_create(document);
    struct inq_match *match = NULL;
    json_t *lines = json_array(), *rivals = json_array();
    bool ok = evaluator && lines && rivals && inq_evaluator_run(evaluator, rule, true, &match) &&
              append_lines(lines, match) &&
              append_rivals(rivals, rules, document, evaluator, match);
    json_t *explanation =
        ok ? json_pack("{s:s, s:i, s:s, s:s, s:s, s:O, s:O}", "format", "inquest-explanation",
                       "version", 1, "id", rule->id, "title", rule->title, "when",
                       truths[match->when], "lines", lines, "rivals", rivals)
           : NULL;
    if (explanation) {
        inq_json_set_foreign(explanation, "file", rule->file);
        json_object_set_new(explanation, "line", json_integer((json_int_t)rule->line));
    }
    inq_match_destroy(match);
    json_decref(lines);
    json_decref(rivals);
    return explanation;
}
