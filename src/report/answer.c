/* SPDX-License-Identifier: Apache-2.0 */

/* The answer with its grade, what speaks for and against it, and what to do. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

#define MOST_OTHERS 6
#define MOST_NAMES 8
#define MOST_ITEMS 10

static bool grade_is(const json_t *verdict, const char *grade)
{
    const char *found = inq_page_text(verdict, "grade");
    return found && !strcmp(found, grade);
}

static bool is_answer(const json_t *verdict)
{
    return grade_is(verdict, "proven") || grade_is(verdict, "strong") ||
           grade_is(verdict, "plausible");
}

/* "PROVEN" in its tone. */
static void put_grade(struct inq_page *page, const json_t *verdict)
{
    char grade[16] = "";
    const char *found = inq_page_text(verdict, "grade");
    for (size_t i = 0; found && found[i] && i + 1 < sizeof(grade); i++)
        grade[i] = (char)toupper((unsigned char)found[i]);
    inq_page_tone(page, grade_is(verdict, "proven") || grade_is(verdict, "strong") ? INQ_TONE_SURE
                        : grade_is(verdict, "plausible")                           ? INQ_TONE_MAYBE
                                                                                   : INQ_TONE_DIM);
    inq_page_foreign(page, grade);
    inq_page_plain(page);
}

static const char *title_of(const json_t *verdict)
{
    const char *title = inq_page_text(verdict, "title");
    const char *id = inq_page_text(verdict, "signature");
    return title ? title : id ? id : "(no title)";
}

static void put_title(struct inq_page *page, const json_t *verdict)
{
    const char *id = inq_page_text(verdict, "signature");
    inq_page_put(page, "\n");
    put_grade(page, verdict);
    inq_page_put(page, "  ");
    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_foreign(page, title_of(verdict));
    inq_page_plain(page);
    if (id) {
        inq_page_tone(page, INQ_TONE_DIM);
        inq_page_put(page, "  [");
        inq_page_foreign(page, id);
        inq_page_put(page, "]");
        inq_page_plain(page);
    }
    inq_page_put(page, "\n");
}

/* One item a line, from a list of texts or of objects with a text. */
static void put_items(struct inq_page *page, const json_t *list, const char *heading,
                      const char *mark)
{
    size_t i;
    json_t *item;
    if (json_array_size(list) == 0)
        return;
    inq_page_heading(page, heading);
    json_array_foreach (list, i, item) {
        if (i == MOST_ITEMS && !page->style->verbose) {
            inq_page_printf(page, "  ... %zu more (-v shows them)\n", json_array_size(list) - i);
            break;
        }
        const char *text =
            json_is_string(item) ? json_string_value(item) : inq_page_text(item, "text");
        const char *read = inq_page_text(item, "read");
        struct inq_text line = {0};
        inq_text_append(&line, text ? text : "");
        if (read)
            inq_text_printf(&line, "; to decide: %s", read);
        inq_page_prose(page, mark, 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

/* The first fix, right below the answer: whoever reads ten lines knows what to do. */
static void put_next(struct inq_page *page, const json_t *fixes)
{
    const json_t *first = json_array_get(fixes, 0);
    const char *text = inq_page_text(first, "text");
    if (!text)
        return;
    inq_page_toned(page, INQ_TONE_BOLD, "  Next: ");
    inq_page_prose_from(page, 8, 8, text);
}

static void put_commands(struct inq_page *page, const json_t *fix)
{
    size_t i;
    json_t *command;
    json_array_foreach (json_object_get(fix, "commands"), i, command) {
        inq_page_put(page, "       $ ");
        inq_page_foreign(page, json_string_value(command)); /* whole: it is to be copied */
        inq_page_put(page, "\n");
    }
}

static void put_fixes(struct inq_page *page, const json_t *fixes)
{
    size_t i;
    json_t *fix;
    if (json_array_size(fixes) == 0)
        return;
    inq_page_heading(page, "What to do");
    json_array_foreach (fixes, i, fix) {
        char lead[32];
        const char *text = inq_page_text(fix, "text");
        snprintf(lead, sizeof(lead), "  %zu. ", i + 1);
        inq_page_prose(page, lead, 5, text ? text : "");
        put_commands(page, fix);
    }
}

/* Why it is not that one: the first thing against it, or the read that would decide. */
static char *remark_on(const json_t *verdict)
{
    const json_t *against = json_array_get(json_object_get(verdict, "against"), 0);
    const json_t *unknown = json_array_get(json_object_get(verdict, "unknown"), 0);
    const char *text =
        json_is_string(against) ? json_string_value(against) : inq_page_text(against, "text");
    struct inq_text line = {0};
    if (!grade_is(verdict, "refuted") && inq_page_text(unknown, "read"))
        inq_text_printf(&line, "to decide: %s", inq_page_text(unknown, "read"));
    else if (text)
        inq_text_append(&line, text);
    else if (inq_page_text(unknown, "text"))
        inq_text_printf(&line, "not known: %s", inq_page_text(unknown, "text"));
    else if (!grade_is(verdict, "refuted") && inq_page_text(verdict, "cause"))
        inq_text_append(&line, inq_page_text(verdict, "cause"));
    return line.bytes;
}

static void put_other(struct inq_page *page, const json_t *verdict)
{
    _cleanup_free_ char *remark = remark_on(verdict);
    struct inq_text line = {0};
    inq_text_append(&line, title_of(verdict));
    if (remark)
        inq_text_printf(&line, ": %s", remark);
    const char *grade = inq_page_text(verdict, "grade");
    inq_page_put(page, "  ");
    put_grade(page, verdict);
    inq_page_put(page, "  ");
    inq_page_prose_from(page, 4 + (grade ? strlen(grade) : 0), 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

/* Symptoms of another verdict are no alternatives to it, and what is not decided is only named. */
static bool is_named_only(const struct inq_page *page, const json_t *verdict)
{
    return grade_is(verdict, "inconclusive") ||
           (!page->style->verbose && inq_page_text(verdict, "explained_by"));
}

/* The verdicts besides the answer, and those that its chain has told already. */
struct others {
    const json_t *verdicts, *links[INQ_PAGE_LINKS];
    size_t n_links;
};

/* Is that one still to be told? */
static bool is_other(const struct inq_page *page, const struct others *others,
                     const json_t *verdict)
{
    size_t told = page->style->verbose && others->n_links > 0 ? 1 : others->n_links;
    for (size_t i = 0; i < told; i++)
        if (others->links[i] == verdict)
            return false;
    return true;
}

static void put_names(struct inq_page *page, const struct others *others, bool undecided)
{
    size_t i, found = 0, most = page->style->verbose ? SIZE_MAX : MOST_NAMES;
    struct inq_text names = {0};
    json_t *verdict;
    json_array_foreach (others->verdicts, i, verdict) {
        const char *id = inq_page_text(verdict, "signature");
        if (!is_other(page, others, verdict) || !is_named_only(page, verdict) ||
            grade_is(verdict, "inconclusive") != undecided)
            continue;
        if (found < most)
            inq_text_printf(&names, "%s%s", found ? ", " : "", id ? id : "?");
        found++;
    }
    if (found > most)
        inq_text_printf(&names, " and %zu more", found - most);
    if (found > 0 && !names.failed)
        inq_page_prose(page,
                       undecided ? "  Not decided, for want of facts: "
                                 : "  Symptoms, no causes of their own: ",
                       4, names.bytes);
    inq_text_deinit(&names);
}

/*
 * The rest: rivals, what is refuted, since that is what a reader was about to believe, and what is
 * true but no cause.
 */
static void put_others(struct inq_page *page, const json_t *verdicts, const json_t *answer)
{
    static const char *const order[] = {"proven", "strong", "plausible", "refuted", "context"};
    struct others others = {.verdicts = verdicts};
    size_t i, count = 0, shown = 0, hidden = 0;
    json_t *verdict;
    others.n_links = inq_page_links(verdicts, answer, others.links);
    json_array_foreach (verdicts, i, verdict)
        count += is_other(page, &others, verdict);
    if (count > 0)
        inq_page_heading(page, "Also considered");
    for (size_t grade = 0; grade < INQ_ARRAY_SIZE(order); grade++) {
        json_array_foreach (verdicts, i, verdict) {
            if (!is_other(page, &others, verdict) || !grade_is(verdict, order[grade]) ||
                is_named_only(page, verdict))
                continue;
            if (shown >= MOST_OTHERS && !page->style->verbose)
                hidden++;
            else
                put_other(page, verdict);
            shown++;
        }
    }
    if (hidden > 0)
        inq_page_printf(page, "  ... %zu more (-v shows them)\n", hidden);
    put_names(page, &others, false);
    put_names(page, &others, true);
}

/* The first frame that is no runtime library's, as the group key has found it: "prog!parse". */
static void put_where_to_look(struct inq_page *page)
{
    const json_t *frames = json_object_get(json_object_get(page->report, "group"), "frames");
    const char *first = json_string_value(json_array_get(frames, 0));
    const char *mark = first ? strchr(first, '!') : NULL;
    struct inq_text line = {0};

    inq_text_append(&line, "read the crashing thread below from ");
    if (mark)
        inq_text_printf(&line, "%s (%.*s)", mark + 1, (int)(mark - first), first);
    else if (first)
        inq_text_printf(&line, "%.*s", (int)strcspn(first, "@"), first);
    else
        inq_text_append(&line, "its first frame of your own code");
    inq_text_append(&line, " outwards; the gdb line at the end opens this dump there.");
    inq_page_prose(page, "  Next: ", 8, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

/* Text that lay near an abort() without a message: hints, and called so. */
static void put_texts(struct inq_page *page, const json_t *abort_facts)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(abort_facts, "texts"), i, item) {
        const char *text = inq_page_text(item, "text"), *where = inq_page_text(item, "found_in");
        struct inq_text line = {0};
        inq_text_printf(&line, "\"%s\" (%s; it may be about something else)", text ? text : "",
                        where ? where : "?");
        inq_page_prose(page, "  Text near the abort: ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

/* Nothing matches: what is known all the same. */
static void put_no_answer(struct inq_page *page, const json_t *verdicts)
{
    const json_t *signal = json_object_get(page->report, "signal");
    const json_t *fault = json_object_get(page->report, "fault");
    const json_t *abort_facts = json_object_get(page->report, "abort");
    const struct {
        const char *words, *value;
    } known[] = {
        {"message", inq_page_text(abort_facts, "message")},
        {"signal", fault ? inq_page_text(signal, "code_name") : NULL},
        {"access", inq_page_text(fault, "access")},
        {"address", inq_page_text(fault, "address")},
        {"kind of address", inq_page_text(fault, "address_class")},
        {"function", inq_page_text(fault, "function")},
    };
    struct inq_text line = {0};
    inq_page_put(page, "\n");
    inq_page_tone(page, INQ_TONE_MAYBE);
    inq_page_put(page, "NO ANSWER");
    inq_page_plain(page);
    if (!json_is_array(verdicts)) {
        inq_page_put(page, "  No signatures were tried.\n");
        return;
    }
    inq_page_put(page, "  No known signature matches.\n");
    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (known[i].value)
            inq_text_printf(&line, "%s%s %s", line.size ? ", " : "", known[i].words,
                            known[i].value);
    if (line.size > 0 && !line.failed)
        inq_page_prose(page, "  What is known: ", 4, line.bytes);
    inq_text_deinit(&line);
    put_texts(page, abort_facts);
    put_where_to_look(page);
}

/* The first that claims to be a cause; one past the end when there is none. */
static size_t find_answer(const json_t *verdicts)
{
    size_t i, count = json_array_size(verdicts);
    for (i = 0; i < count && !is_answer(json_array_get(verdicts, i)); i++)
        ;
    return i;
}

void inq_page_answer(struct inq_page *page)
{
    const json_t *verdicts = json_object_get(page->report, "verdicts");
    size_t at = find_answer(verdicts);
    const json_t *answer = json_array_get(verdicts, at);
    if (!answer) {
        put_no_answer(page, verdicts);
        put_others(page, verdicts, answer);
        return;
    }
    const json_t *fixes = json_object_get(answer, "fix");
    put_title(page, answer);
    if (inq_page_text(answer, "cause"))
        inq_page_prose(page, "  ", 2, inq_page_text(answer, "cause"));
    put_next(page, fixes);
    if (!inq_page_text(json_object_get(page->report, "abort"), "message"))
        put_texts(page, json_object_get(page->report, "abort"));
    inq_page_chain(page, verdicts, answer);
    put_items(page, json_object_get(answer, "evidence"), "Evidence", "  + ");
    put_items(page, json_object_get(answer, "against"), "Against", "  - ");
    put_items(page, json_object_get(answer, "unknown"), "Not known", "  ? ");
    put_others(page, verdicts, answer);
    if (json_array_size(fixes) > 1 ||
        json_array_size(json_object_get(json_array_get(fixes, 0), "commands")) > 0)
        put_fixes(page, fixes);
    put_items(page, json_object_get(answer, "see"), "See", "  ");
}
