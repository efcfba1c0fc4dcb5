/* SPDX-License-Identifier: Apache-2.0 */
#include "files_tests.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "elfhead.h"
#include "io.h"

static char tree[64];

static int set_up(void **state)
{
    (void)state;
    make_tree(tree);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(tree);
    return 0;
}

static size_t id_of(const char *path, uint8_t id[INQ_MAX_BUILD_ID], bool *is_elf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size;

    assert_true(fd >= 0);
    size = inq_elf_build_id(fd, id, is_elf);
    close(fd);
    return size;
}

static void every_class_order_and_place(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++) {
        struct elf_shape shape = {.elf_class = bits & 1 ? 32 : 64,
                                  .big_endian = bits & 2,
                                  .in_section = bits & 4,
                                  .property = bits & 8,
                                  .note_off = bits & 16 ? 6000 : 0, /* behind the first page */
                                  .id_size = 20,
                                  .id_first = (uint8_t)bits};
        uint8_t wanted[INQ_MAX_BUILD_ID], id[INQ_MAX_BUILD_ID];
        bool is_elf = false;

        write_elf(in(tree, "elf"), &shape);
        expect_id(&shape, wanted);
        assert_int_equal(id_of(in(tree, "elf"), id, &is_elf), 20);
        assert_true(is_elf);
        assert_memory_equal(id, wanted, 20);
    }
}

static void files_without_one(void **state)
{
    static const struct elf_shape none = {.id_size = 0};
    static const struct elf_shape longest = {.id_size = 64}, too_long = {.id_size = 65};
    uint8_t id[INQ_MAX_BUILD_ID];
    bool is_elf;
    int fd;

    (void)state;
    write_elf(in(tree, "none"), &none);
    assert_int_equal(id_of(in(tree, "none"), id, &is_elf), 0);
    assert_true(is_elf);
    write_elf(in(tree, "longest"), &longest);
    assert_int_equal(id_of(in(tree, "longest"), id, &is_elf), 64);
    write_elf(in(tree, "too-long"), &too_long);
    assert_int_equal(id_of(in(tree, "too-long"), id, &is_elf), 0);

    assert_int_equal(id_of("/etc/passwd", id, &is_elf), 0);
    assert_false(is_elf);
    fd = open(in(tree, "empty"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    close(fd);
    assert_int_equal(id_of(in(tree, "empty"), id, &is_elf), 0);
    assert_false(is_elf);
}

/* Every cut and every flipped byte of the headers: an answer or none, never beyond the file. */
static void damaged_headers(void **state)
{
    static const struct elf_shape shape = {.id_size = 20};
    uint8_t bytes[1024], id[INQ_MAX_BUILD_ID];
    ssize_t size;
    bool is_elf;
    int fd;

    (void)state;
    write_elf(in(tree, "elf"), &shape);
    fd = open(in(tree, "elf"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    size = inq_pread_full(fd, bytes, sizeof(bytes), 0);
    assert_true(size > 560);
    for (int i = 0; i < 320; i++) {
        uint8_t flipped = (uint8_t)~bytes[i];

        assert_int_equal(pwrite(fd, &flipped, 1, i), 1);
        assert_in_range(inq_elf_build_id(fd, id, &is_elf), 0, INQ_MAX_BUILD_ID);
        assert_int_equal(pwrite(fd, &bytes[i], 1, i), 1);
    }
    for (off_t cut = size - 1; cut >= 0; cut--) {
        assert_int_equal(ftruncate(fd, cut), 0);
        /* 512 header of the note, 16 of it, 20 of id */
        assert_int_equal(inq_elf_build_id(fd, id, &is_elf), cut >= 548 ? 20 : 0);
    }
    close(fd);
}

static void hostile_notes(void **state)
{
    uint8_t notes[64] = {0}, id[INQ_MAX_BUILD_ID];

    (void)state;
    memset(notes, 0xff, sizeof(notes)); /* sizes of 4 GiB */
    for (size_t size = 0; size <= sizeof(notes); size++)
        assert_int_equal(inq_elf_notes_build_id(notes, size, 4, false, id), 0);
    memset(notes, 0, sizeof(notes)); /* empty notes without end */
    assert_int_equal(inq_elf_notes_build_id(notes, sizeof(notes), 8, true, id), 0);
}

int run_build_id_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_order_and_place),
        cmocka_unit_test(files_without_one),
        cmocka_unit_test(damaged_headers),
        cmocka_unit_test(hostile_notes),
    };

    return cmocka_run_group_tests_name("build-id", tests, set_up, tear_down);
}
