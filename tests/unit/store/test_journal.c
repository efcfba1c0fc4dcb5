/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_tests.h"

static enum inq_store_state claim_state(struct inq_store *store, const struct inq_store_file *file,
                                        int64_t *ret_id)
{
    struct inq_store_claim claim;

    expect_ok(inq_store_claim(store, file, false, &claim));
    enum inq_store_state state = claim.state;
    *ret_id = claim.id;
    inq_store_claim_deinit(&claim);
    return state;
}

static void record(struct inq_store *store, int64_t id, const char *identity)
{
    char uid[INQ_STORE_UID_SIZE];
    json_t *report = make_report(identity, "v1:000000000001", "p", "h", "2024-03-01T12:00:00Z");

    expect_ok(inq_store_record(store, id, report, report, 1, uid));
    json_decref(report);
}

static void test_done_once(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/core.1", 1);
    struct inq_store_claim claim;
    int64_t id;

    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    record(store, id, "identity-1");
    inq_store_close(store);

    store = open_store(in_folder(state, "a.db"));
    expect_ok(inq_store_claim(store, &file, false, &claim));
    assert_int_equal(claim.state, INQ_STORE_DONE);
    assert_int_equal(claim.exit_code, 1);
    assert_int_equal(strlen(claim.uid), 36);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(claim.row, "core"), "identity")),
        "identity-1");
    inq_store_claim_deinit(&claim);

    file.setting = "with --sysroot"; /* that may find more */
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    expect_ok(inq_store_release(store, id));
    file.setting = "default";
    record(store, id, "identity-1");
    file.mtime_nsec++; /* written again: another file */
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    inq_store_close(store);
}

/* A file that could not be analysed, and can be when it is whole: one record, first and last. */
static void test_stub_first(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/core", 1);
    const struct inq_store_filter all = {0};
    json_t *stub = json_pack("{s:{s:s}}", "error", "code", "INQ-032");
    char uid[INQ_STORE_UID_SIZE];
    uint64_t count;
    int64_t id;

    expect_ok(inq_store_record(store, 0, stub, stub, 3, uid));
    assert_string_equal(uid, "");
    for (unsigned i = 0; i < 2; i++) {
        file.size_bytes += 100;
        assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
        expect_ok(inq_store_record(store, id, stub, stub, 3, uid));
        assert_int_equal(claim_state(store, &file, &id), INQ_STORE_DONE);
        expect_ok(inq_store_purge(store, &all, true, &count));
        assert_int_equal(count, 1);
    }
    file.size_bytes += 100;
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    record(store, id, "identity-1");
    expect_ok(inq_store_purge(store, &all, true, &count));
    assert_int_equal(count, 1);
    json_decref(stub);
    inq_store_close(store);
}

static void test_no_core(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/prog", 1);
    struct inq_store_claim claim;
    int64_t id;

    file.ctime_nsec = 7;
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    expect_ok(inq_store_pass_over(store, id, "a program"));
    expect_ok(inq_store_claim(store, &file, false, &claim));
    assert_int_equal(claim.state, INQ_STORE_OTHER);
    assert_string_equal(claim.reason, "a program");
    inq_store_claim_deinit(&claim);
    file.ctime_nsec = 8; /* renamed, or replaced with its time set back */
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);

    /* nobody's word while a process is at it */
    expect_ok(inq_store_note_other(store, &file, "text"));
    expect_ok(inq_store_look(store, &file, &claim));
    assert_int_not_equal(claim.state, INQ_STORE_OTHER);
    inq_store_claim_deinit(&claim);
    expect_ok(inq_store_release(store, id));
    expect_ok(inq_store_note_other(store, &file, "text"));
    expect_ok(inq_store_look(store, &file, &claim));
    assert_int_equal(claim.state, INQ_STORE_OTHER);
    assert_string_equal(claim.reason, "text");
    inq_store_claim_deinit(&claim);
    inq_store_close(store);
}

static void test_quarantine(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/poison", 1);
    struct inq_store_claim claim;
    int64_t id;

    for (unsigned i = 0; i < 5; i++) { /* somebody's SIGKILL is not the dump's fault */
        assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
        expect_ok(inq_store_fail(store, id, "killed", true));
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
        expect_ok(inq_store_fail(store, id, "died: SIGSEGV", false));
    }
    expect_ok(inq_store_claim(store, &file, false, &claim));
    assert_int_equal(claim.state, INQ_STORE_QUARANTINED);
    assert_string_equal(claim.reason, "died: SIGSEGV");
    inq_store_claim_deinit(&claim);
    file.size_bytes++; /* another dump under that name has its own three tries */
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    inq_store_close(store);
}

static void test_release(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/core", 1);
    int64_t id;

    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
        expect_ok(inq_store_release(store, id));
    }
    inq_store_close(store);
}

/* A process of its own claims `file`, tells through `fd`, and then waits to be killed. */
static void claim_and_wait(const char *path, const struct inq_store_file *file, int fd)
{
    struct inq_store *store = NULL;
    struct inq_store_claim claim;
    struct inq_error *error = inq_store_open(path, INQ_STORE_WRITE, &store);

    if (!error)
        error = inq_store_claim(store, file, false, &claim);
    char answer = !error && claim.state == INQ_STORE_CLAIMED ? 'c' : 'x';
    if (write(fd, &answer, 1) == 1)
        pause();
    _exit(1);
}

static void test_owners(void **state)
{
    const char *path = in_folder(state, "a.db");
    struct inq_store *store;
    struct inq_store_file file = make_file("/var/dumps/core", 1);
    struct inq_store_claim claim;
    char answer;
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        claim_and_wait(path, &file, pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], &answer, 1), 1);
    assert_int_equal(answer, 'c');

    store = open_store(path);
    expect_ok(inq_store_claim(store, &file, false, &claim));
    assert_int_equal(claim.state, INQ_STORE_TAKEN);
    assert_int_equal(claim.owner, child);
    inq_store_claim_deinit(&claim);

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    expect_ok(inq_store_claim(store, &file, false, &claim));
    assert_int_equal(claim.state, INQ_STORE_CLAIMED);
    inq_store_claim_deinit(&claim);
    inq_store_close(store);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_purged(void **state)
{
    struct inq_store *store = open_store(in_folder(state, "a.db"));
    struct inq_store_file file = make_file("/var/dumps/core", 1);
    const struct inq_store_filter all = {0};
    uint64_t count;
    int64_t id;

    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    record(store, id, "identity-1");
    expect_ok(inq_store_purge(store, &all, true, &count));
    assert_int_equal(count, 1);
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_DONE);
    expect_ok(inq_store_purge(store, &all, false, &count));
    assert_int_equal(count, 1);
    assert_int_equal(claim_state(store, &file, &id), INQ_STORE_CLAIMED);
    inq_store_close(store);
}

int journal_tests(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_done_once), TEST(test_stub_first), TEST(test_no_core), TEST(test_quarantine),
        TEST(test_release),   TEST(test_owners),     TEST(test_purged),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
