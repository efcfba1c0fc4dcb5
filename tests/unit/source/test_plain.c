/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"
#include "bounds.h"

static void plain_file_reads_anywhere(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(1000001);
    _cleanup_(inq_source_destroyp) struct inq_source *source =
        open_ok(file_of(dump.data, dump.size), NULL);
    struct inq_source_info info = inq_source_info(source);
    size_t got;

    (void)state;
    assert_string_equal(info.name, "core.test");
    assert_false(info.stream || info.ended_early);
    assert_int_equal(info.codec, INQ_CODEC_NONE);
    assert_int_equal(info.present_bytes, dump.size);
    assert_int_equal(info.stored_bytes, dump.size);
    reads_back(source, &dump, 0, dump.size);
    reads_back(source, &dump, 123457, 70000);
    reads_back(source, &dump, dump.size, 0);
    assert_memory_equal(inq_source_view(source, 5000, 100), dump.data + 5000, 100);
    assert_non_null(inq_source_view(source, dump.size - 1, 1));

    assert_int_equal(read_same(source, &dump, dump.size - 10, 100, &got), INQ_READ_END);
    assert_int_equal(got, 10);
    assert_int_equal(read_same(source, &dump, dump.size, 1, &got), INQ_READ_END);
    assert_int_equal(read_same(source, &dump, UINT64_MAX, 100, &got), INQ_READ_END);
    assert_int_equal(got, 0);
    assert_null(inq_source_view(source, dump.size - 1, 2));
    assert_null(inq_source_view(source, UINT64_MAX, 2));
    assert_null(inq_source_view(source, 1, SIZE_MAX));
    stream_ok(source, &(struct inq_source_plan){0}); /* nothing to do */
    reads_back(source, &dump, 0, dump.size);
}

/* Offsets beyond 4 GiB are right, and holes cost neither time nor memory. */
static void sparse_file_of_a_tebibyte(void **state)
{
    const uint64_t size = 1024 * INQ_GIB, high = 5 * INQ_GIB + 12345;
    int fd = memfd_create("sparse", MFD_CLOEXEC);
    _cleanup_(inq_source_destroyp) struct inq_source *source = NULL;
    uint8_t buf[16];
    size_t got;

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(pwrite(fd, "low", 3, 0), 3);
    assert_int_equal(pwrite(fd, "high", 4, (off_t)high), 4);
    assert_int_equal(pwrite(fd, "end", 3, (off_t)size - 3), 3);
    source = open_ok(fd, NULL);
    assert_int_equal(inq_source_info(source).present_bytes, size);
    assert_int_equal(inq_source_read(source, high, buf, 4, &got), INQ_READ_OK);
    assert_memory_equal(buf, "high", 4);
    assert_int_equal(inq_source_read(source, size - 3, buf, 16, &got), INQ_READ_END);
    assert_int_equal(got, 3);
    assert_memory_equal(buf, "end", 3);
    assert_memory_equal(inq_source_view(source, 0, 4), "low", 4);
}

/* More than any address space: there is no mapping, and still the bytes can be read. */
static void sparse_file_too_large_to_map(void **state)
{
    const uint64_t size = 1ull << 60;
    int fd = memfd_create("sparse", MFD_CLOEXEC);
    _cleanup_(inq_source_destroyp) struct inq_source *source = NULL;
    uint8_t buf[16];
    size_t got;

    (void)state;
    if (ftruncate(fd, (off_t)size) < 0) {
        close(fd);
        print_message("skipped: no file of 2^60 bytes can be made here\n");
        skip();
    }
    assert_int_equal(pwrite(fd, "end", 3, (off_t)size - 3), 3);
    source = open_ok(fd, NULL);
    assert_null(inq_source_view(source, 0, 1));
    assert_int_equal(inq_source_read(source, size - 3, buf, 16, &got), INQ_READ_END);
    assert_int_equal(got, 3);
    assert_memory_equal(buf, "end", 3);
}

static void what_is_no_dump_file_is_refused(void **state)
{
    int ends[2];

    (void)state;
    open_fails(file_of("", 0), INQ_E_EMPTY, "empty file");
    open_fails(open("/", O_RDONLY | O_DIRECTORY), INQ_E_NOT_REGULAR, "a directory");
    open_fails(open("/dev/zero", O_RDONLY), INQ_E_NOT_REGULAR, "a character device");
    open_fails(open("/dev/null", O_RDONLY), INQ_E_NOT_REGULAR, "a character device");
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    open_fails(ends[0], INQ_E_EMPTY, "empty file");
}

static void other_compressions_are_named(void **state)
{
    static const struct {
        const char *magic;
        const char *says;
    } cases[] = {
        {"LZIP\x01\0\0", "compressed with lzip,"},
        {"\x89LZO\0\r\n", "compressed with lzop,"},
        {"\x1f\x9d\x90\0\0\0\0", "compressed with compress,"},
    };

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cases); i++) {
        char bytes[64] = {0};

        memcpy(bytes, cases[i].magic, 7);
        open_fails(file_of(bytes, sizeof(bytes)), INQ_E_COMPRESSION, cases[i].says);
        open_fails(pipe_of(bytes, sizeof(bytes)), INQ_E_COMPRESSION, cases[i].says);
    }
}

static void changes_are_noticed(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    int fd = file_of("some bytes", 10);
    _cleanup_(inq_source_destroyp) struct inq_source *source = open_ok(dup(fd), NULL);
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    struct inq_gaps gaps;

    (void)state;
    inq_gaps_init(&gaps, arena);
    inq_source_check_unchanged(source, &gaps);
    assert_int_equal(gaps.count, 0);
    assert_int_equal(futimens(fd, times), 0);
    inq_source_check_unchanged(source, &gaps);
    assert_int_equal(count_gaps(&gaps, INQ_G_CHANGED), 1);
    assert_int_equal(inq_write_full(fd, "more", 4), 0);
    inq_source_check_unchanged(source, &gaps);
    assert_int_equal(count_gaps(&gaps, INQ_G_CHANGED), 2);
    assert_non_null(strstr(gaps.items[1].why, "size"));
    inq_gaps_deinit(&gaps);
    close(fd);
}

/*
 * A socket whose other end goes away without having read what we sent to it: first come the bytes,
 * then ECONNRESET.
 */
static void read_error_in_a_stream_is_a_gap(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    _cleanup_bytes_ struct bytes dump = make_dump(50000);
    _cleanup_(inq_source_destroyp) struct inq_source *source = NULL;
    struct inq_gaps gaps;
    int ends[2];
    size_t got;

    (void)state;
    inq_gaps_init(&gaps, arena);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(inq_write_full(ends[1], dump.data, dump.size), 0);
    assert_int_equal(inq_write_full(ends[0], "unread", 6), 0);
    close(ends[1]);
    source = open_ok(ends[0], &gaps);
    stream_ok(source, &(struct inq_source_plan){0});
    assert_int_equal(count_gaps(&gaps, INQ_G_READ), 1);
    assert_true(inq_source_info(source).ended_early);
    assert_int_equal(inq_source_info(source).present_bytes, dump.size);
    assert_int_equal(read_same(source, &dump, dump.size, 10, &got), INQ_READ_FAILED);
    assert_int_equal(got, 0);
    inq_gaps_deinit(&gaps);
}

int run_plain_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_file_reads_anywhere),
        cmocka_unit_test(sparse_file_of_a_tebibyte),
        cmocka_unit_test(sparse_file_too_large_to_map),
        cmocka_unit_test(what_is_no_dump_file_is_refused),
        cmocka_unit_test(other_compressions_are_named),
        cmocka_unit_test(changes_are_noticed),
        cmocka_unit_test(read_error_in_a_stream_is_a_gap),
    };

    return cmocka_run_group_tests_name("source: plain files", tests, NULL, NULL);
}
