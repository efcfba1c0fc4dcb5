/* SPDX-License-Identifier: Apache-2.0 */

/* Directories of files, and whose files are believed. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules_tests.h"

static const char *refused(const struct inq_rules *rules, size_t index, const char *key)
{
    const json_t *entry = json_array_get(rules->refused, index);
    return json_string_value(json_object_get(entry, key));
}

static json_int_t refused_at(const struct inq_rules *rules, size_t index, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(rules->refused, index), key));
}

static void bad_files_do_not_stop_good_ones(void **state)
{
    (void)state;
    struct rules_dir dir;
    struct inq_rules *rules = NULL;
    rules_dir_make(&dir);
    rules_dir_text(&dir, "b.yaml",
                   "- id: zulu\n  title: t\n  cause: c\n  when: [signal exists]\n"
                   "- id: alpha\n  title: t\n  cause: c\n  when: [fault exists]\n");
    /* one bad rule and the whole file is refused */
    rules_dir_text(&dir, "a.yaml",
                   "- id: mike\n  title: t\n  cause: c\n  when: [signal exists]\n"
                   "- id: november\n  titel: t\n");
    rules_dir_text(&dir, "c.yaml",
                   "- id: alpha\n  title: other\n  cause: c\n"
                   "  when: [signal exists]\n");
    rules_dir_text(&dir, "notes.txt", "not a signature file");
    rules_dir_text(&dir, ".hidden.yaml", "no");
    const char *path = dir.path;
    assert_null(inq_rules_load(&path, 1, &rules));
    assert_int_equal(rules->count, 2);
    assert_int_equal(rules->files_loaded, 1);
    assert_string_equal(rules->items[0].id, "alpha");
    assert_string_equal(rules->items[0].title, "t");
    assert_string_equal(rules->items[1].id, "zulu");
    assert_int_equal(rules->items[0].line, 5);
    assert_ptr_equal(inq_rules_find(rules, "zulu"), &rules->items[1]);
    assert_null(inq_rules_find(rules, "mike"));

    assert_int_equal(json_array_size(rules->refused), 2);
    assert_true(strstr(refused(rules, 0, "file"), "/a.yaml") != NULL);
    assert_int_equal(refused_at(rules, 0, "line"), 6);
    assert_int_equal(refused_at(rules, 0, "column"), 3);
    assert_string_equal(refused(rules, 0, "message"),
                        "unknown key \"titel\"; did you mean \"title\"?");
    assert_true(strstr(refused(rules, 1, "file"), "/c.yaml") != NULL);
    assert_true(strstr(refused(rules, 1, "message"), "already used in") != NULL);
    assert_true(strstr(refused(rules, 1, "message"), "/b.yaml") != NULL);
    inq_rules_destroy(rules);

    char hidden[256];
    snprintf(hidden, sizeof(hidden), "%s/.hidden.yaml", dir.path);
    unlink(hidden);
    rules_dir_remove(&dir);
}

static void directories_are_read_in_order(void **state)
{
    (void)state;
    struct rules_dir shipped, user;
    struct inq_rules *rules = NULL;
    rules_dir_make(&shipped);
    rules_dir_make(&user);
    rules_dir_text(&shipped, "z.yaml", WHEN("signal exists"));
    rules_dir_text(&user, "a.yaml", WHEN("fault exists"));
    rules_dir_text(&user, "b.yaml", "- id: mine\n  title: t\n  cause: c\n  when: [fault exists]\n");
    const char *paths[3] = {shipped.path, user.path, "/nonexistent/signatures"};
    assert_null(inq_rules_load(paths, 3, &rules));
    assert_int_equal(rules->count, 2);
    assert_int_equal(rules->files_loaded, 2);
    assert_non_null(strstr(inq_rules_find(rules, "r")->file, "z.yaml"));
    assert_int_equal(json_array_size(rules->refused), 2);
    assert_string_equal(refused(rules, 1, "file"), "/nonexistent/signatures");
    inq_rules_destroy(rules);

    rules = NULL;
    struct inq_error *error = inq_rules_load(&paths[2], 1, &rules);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_RULES_NONE);
    assert_null(rules);
    inq_error_destroy(error);
    rules_dir_remove(&shipped);
    rules_dir_remove(&user);
}

static const char *check(const struct rules_dir *dir, const char *name)
{
    static char text[1024];
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir->path, name);
    struct inq_error *error = inq_rules_check_file(path);
    snprintf(text, sizeof(text), "%s", error ? error->message + strlen(path) : "");
    inq_error_destroy(error);
    return text;
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    struct rules_dir dir;
    char path[256];
    rules_dir_make(&dir);
    snprintf(path, sizeof(path), "%s/fifo.yaml", dir.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(strstr(check(&dir, "fifo.yaml"), ":1:1: not a regular file") != NULL);
    assert_true(strstr(check(&dir, "none.yaml"), ":1:1: cannot be opened: ") != NULL);
    snprintf(path, sizeof(path), "%s/d.yaml", dir.path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(strstr(check(&dir, "d.yaml"), ":1:1: not a regular file") != NULL);

    const char *directory = dir.path;
    struct inq_rules *rules = NULL;
    assert_null(inq_rules_load(&directory, 1, &rules));
    assert_int_equal(rules->count, 0);
    assert_int_equal(json_array_size(rules->refused), 2);
    inq_rules_destroy(rules);
    assert_int_equal(rmdir(path), 0);
    rules_dir_remove(&dir);
}

static void root_does_not_believe_what_others_may_change(void **state)
{
    (void)state;
    struct rules_dir dir;
    char path[256];
    rules_dir_make(&dir);
    rules_dir_text(&dir, "good.yaml", WHEN("signal exists"));
    rules_dir_text(&dir, "open.yaml", WHEN("signal exists"));
    snprintf(path, sizeof(path), "%s/open.yaml", dir.path);
    assert_int_equal(chmod(path, 0666), 0);
    snprintf(path, sizeof(path), "%s/link.yaml", dir.path);
    assert_int_equal(symlink("good.yaml", path), 0);

    assert_string_equal(check(&dir, "good.yaml"), "");
    if (geteuid() == 0) {
        assert_true(strstr(check(&dir, "open.yaml"), "other users may write to it") != NULL);
        assert_true(strstr(check(&dir, "link.yaml"), "symbolic link") != NULL);
        snprintf(path, sizeof(path), "%s/open.yaml", dir.path);
        assert_int_equal(chmod(path, 0664), 0);
        assert_string_equal(check(&dir, "open.yaml"), ""); /* root's own group */
        assert_int_equal(chown(path, (uid_t)-1, 12345), 0);
        assert_true(strstr(check(&dir, "open.yaml"), "other users may write to it") != NULL);
    } else {
        assert_string_equal(check(&dir, "open.yaml"), "");
        assert_string_equal(check(&dir, "link.yaml"), "");
    }
    rules_dir_remove(&dir);
}

static void too_many_rules_are_refused(void **state)
{
    (void)state;
    struct rules_dir dir;
    struct inq_rules *rules = NULL;
    rules_dir_make(&dir);
    size_t room = 10001 * 80, size = 0;
    char *text = malloc(room);
    assert_non_null(text);
    for (int i = 0; i < 10000; i++)
        size += (size_t)snprintf(text + size, room - size,
                                 "- {id: r%d, title: t, cause: c, when: [signal exists]}\n", i);
    rules_dir_write(&dir, "r.yaml", text, size);
    const char *path = dir.path;
    assert_null(inq_rules_load(&path, 1, &rules));
    assert_int_equal(rules->count, 10000);
    assert_non_null(inq_rules_find(rules, "r9999"));
    inq_rules_destroy(rules);

    size += (size_t)snprintf(text + size, room - size,
                             "- {id: one-more, title: t, cause: c, when: [signal exists]}\n");
    assert_string_equal(rules_error_bytes(text, size),
                        "r.yaml:1:1: more than 10000 rules in one file");
    free(text);
    rules_dir_remove(&dir);
}

int test_load(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_do_not_stop_good_ones),
        cmocka_unit_test(directories_are_read_in_order),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test(root_does_not_believe_what_others_may_change),
        cmocka_unit_test(too_many_rules_are_refused),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
