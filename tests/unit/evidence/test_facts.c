/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <stdint.h>
#include <string.h>

#include "evidence_tests.h"
#include "fact_table.h"

static void every_fact_is_found_by_its_own_path(void **state)
{
    (void)state;
    size_t count;
    const struct inq_fact *facts = inq_facts(&count);
    assert_true(count > 200 && count <= 512);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(inq_fact_find(facts[i].path, NULL), &facts[i]);
        assert_non_null(facts[i].doc);
        assert_int_equal(facts[i].type == INQ_FACT_WORD, facts[i].values != NULL);
    }
}

/* Whatever stood before it, a member is the one that is found without a hint. */
static void a_member_after_any_other(void **state)
{
    (void)state;
    size_t count;
    const struct inq_fact *facts = inq_facts(&count);
    for (int i = 0; i < (int)count; i++) {
        const char *dot = strrchr(facts[i].path, '.'), *key = dot ? dot + 1 : facts[i].path;
        const size_t size = strcspn(key, "[");
        const int parent = inq_fact_node_parent(i);
        const int befores[] = {INQ_FACT_NODE_NONE, INQ_FACT_NODE_ROOT, i - 2,     i - 1, i,
                               (int)count - 1,     (int)count,         INT16_MAX, 511};
        assert_int_equal(inq_fact_node_member(parent, key, size), i);
        for (size_t k = 0; k < sizeof(befores) / sizeof(befores[0]); k++) {
            assert_int_equal(inq_fact_node_member_after(parent, befores[k], key, size), i);
            assert_int_equal(inq_fact_node_member_after(parent, befores[k], "zebra", 5),
                             INQ_FACT_NODE_NONE);
            assert_int_equal(inq_fact_node_member_after(INQ_FACT_NODE_NONE, befores[k], key, size),
                             INQ_FACT_NODE_NONE);
        }
    }
}

static void parents_stand_above_their_members(void **state)
{
    (void)state;
    size_t count;
    const struct inq_fact *facts = inq_facts(&count);
    for (size_t i = 0; i < count; i++) {
        char parent[128];
        const char *dot = strrchr(facts[i].path, '.');
        if (!dot)
            continue;
        size_t size = (size_t)(dot - facts[i].path);
        assert_true(size < sizeof(parent));
        memcpy(parent, facts[i].path, size);
        parent[size] = '\0';
        const struct inq_fact *found = inq_fact_find(parent, NULL);
        assert_non_null(found);
        assert_true(found < &facts[i]);
        assert_true(found->type == INQ_FACT_OBJECT || found->type == INQ_FACT_LIST ||
                    found->type == INQ_FACT_MAP);
        assert_int_equal(found->type == INQ_FACT_LIST, parent[size - 1] == ']');
    }
}

static void assert_finds(const char *path, const char *element, const char *canonical)
{
    const struct inq_fact *fact = inq_fact_find(path, element);
    if (!canonical) {
        assert_null(fact);
        return;
    }
    assert_non_null(fact);
    assert_string_equal(fact->path, canonical);
}

static void aliases(void **state)
{
    (void)state;
    assert_finds("crashed.stack.overflow", NULL, "threads[].stack.overflow");
    assert_finds("crashed.registers.rip", NULL, "threads[].registers.*");
    assert_finds("frame[1].function", NULL, "threads[].frames[].function");
    assert_finds("crashed.frame[1].function", NULL, "threads[].frames[].function");
    assert_finds("crashed.frames", NULL, "threads[].frames");
    assert_finds("frames", NULL, "threads[].frames");
    assert_finds("frame.function", "frame", "threads[].frames[].function");
    assert_finds("frame[0].function", "frame", "threads[].frames[].function");
    assert_finds("module.name", "module", "modules[].name");
    assert_finds("thread.name", "thread", "threads[].name");
    assert_finds("gap.code", "gap", "gaps[].code");
    assert_finds("collision.family", "collision", "collisions[].family");
    assert_finds("modules[3].name", NULL, "modules[].name");
    assert_finds("environment.LD_PRELOAD", NULL, "environment.*");
    assert_finds("signal.name", "module", "signal.name");
}

static void wrong_paths(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ".",
        "signal.",
        ".signal",
        "signal..name",
        "signal.nam",
        "signal.name.x",
        "module.name",
        "frame.function",
        "frame[].function",
        "frame[x].function",
        "frame[1",
        "frame[1]function",
        "frame[99999999999].function",
        "crashed.",
        "crashed.nothing",
        "nothing",
        "fault.address_class.x",
        "*",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(inq_fact_find(wrong[i], NULL));
}

static void elements(void **state)
{
    (void)state;
    assert_string_equal(inq_fact_element("modules"), "module");
    assert_string_equal(inq_fact_element("threads"), "thread");
    assert_string_equal(inq_fact_element("frames"), "frame");
    assert_string_equal(inq_fact_element("crashed.frames"), "frame");
    assert_string_equal(inq_fact_element("collisions"), "collision");
    assert_string_equal(inq_fact_element("gaps"), "gap");
    assert_null(inq_fact_element("signal"));
}

int test_facts(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_is_found_by_its_own_path),
        cmocka_unit_test(a_member_after_any_other),
        cmocka_unit_test(parents_stand_above_their_members),
        cmocka_unit_test(aliases),
        cmocka_unit_test(wrong_paths),
        cmocka_unit_test(elements),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
