/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"
#include "bounds.h"

#define DUMP_BYTES (8u * 1024u * 1024u)
#define HEAD_BYTES 100000u

enum how { PLAIN, ZST_FILE, ZST_PIPE, PLAIN_PIPE, HOWS };

static int open_how(enum how how, const struct bytes *dump, const struct bytes *packed)
{
    switch (how) {
    case PLAIN:
        return file_of(dump->data, dump->size);
    case ZST_FILE:
        return file_of(packed->data, packed->size);
    case ZST_PIPE:
        return pipe_of(packed->data, packed->size);
    default:
        return pipe_of(dump->data, dump->size);
    }
}

static bool page_is_zero(const struct bytes *dump, uint64_t off)
{
    static const uint8_t zeros[4096];
    uint64_t page = off & ~4095ull;

    return memcmp(dump->data + page, zeros, sizeof(zeros)) == 0;
}

/* Must the byte have been kept? Ranges of these tests begin and end with pages. */
static bool is_kept(const struct bytes *dump, const struct inq_source_plan *plan, uint64_t head,
                    uint64_t off)
{
    if (off < head || page_is_zero(dump, off))
        return true;
    for (size_t i = 0; i < plan->count; i++)
        if (off >= plan->ranges[i].off && off - plan->ranges[i].off < plan->ranges[i].size)
            return true;
    return false;
}

/* Random ranges, after streaming with random plans, by every way: the same bytes, no others. */
static void every_way_reads_the_same(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    uint64_t x = 20240229;

    (void)state;
    for (int round = 0; round < 3 * HOWS; round++) {
        enum how how = (enum how)(round % HOWS);
        _cleanup_(inq_source_destroyp) struct inq_source *source =
            open_ok(open_how(how, &dump, &packed), NULL);
        struct inq_keep_range ranges[20];
        const struct inq_source_plan plan = {
            .ranges = ranges,
            .count = INQ_ARRAY_SIZE(ranges),
            .raw_budget_bytes = 16 * INQ_MIB,
            .packed_budget_bytes = 16 * INQ_MIB,
        };

        for (size_t i = 0; i < plan.count; i++)
            ranges[i] = (struct inq_keep_range){
                .off = next_random(&x) % DUMP_BYTES & ~4095ull,
                .size = next_random(&x) % 400000 & ~4095ull,
                .keep = (enum inq_keep)(next_random(&x) % 2),
                .priority = (uint8_t)(next_random(&x) % 4),
            };
        reads_back(source, &dump, 0, HEAD_BYTES);
        reads_back(source, &dump, 70000, 100);
        stream_ok(source, &plan);
        assert_int_equal(inq_source_info(source).dropped_bytes, 0);
        for (int i = 0; i < 3000; i++) {
            uint64_t off = next_random(&x) % DUMP_BYTES;
            size_t got, size = next_random(&x) % (i % 10 ? 100 : 300000), left;
            enum inq_read result = read_same(source, &dump, off, size, &got);
            const void *view = inq_source_view(source, off, size ? size : 1);

            if (view && off + size <= dump.size)
                assert_memory_equal(view, dump.data + off, size);
            left = dump.size - off < size ? (size_t)(dump.size - off) : size;
            if (how == PLAIN)
                assert_int_equal(got, left);
            if (got < left) {
                assert_int_equal(result, INQ_READ_DROPPED);
                assert_false(is_kept(&dump, &plan, HEAD_BYTES, off + got));
            } else {
                assert_int_equal(result, got == size ? INQ_READ_OK : INQ_READ_END);
                assert_true(got == 0 || how == PLAIN ||
                            is_kept(&dump, &plan, 200000, off + got - 1));
            }
        }
    }
}

static void head_is_kept_whole_and_stays_in_place(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    _cleanup_(inq_source_destroyp) struct inq_source *source =
        open_ok(file_of(packed.data, packed.size), NULL);
    const uint8_t *early = inq_source_view(source, 10, 1000);
    size_t got;

    (void)state;
    assert_non_null(early);
    reads_back(source, &dump, 3 * INQ_MIB, 5000);
    assert_ptr_equal(inq_source_view(source, 10, 3 * INQ_MIB), early);
    /* Out of reach before the pass: said at once, nothing is read for it. */
    assert_int_equal(read_same(source, &dump, INQ_SOURCE_HEAD_BYTES, 8, &got), INQ_READ_DROPPED);
    assert_null(inq_source_view(source, UINT64_MAX - 7, 8));
    assert_true(inq_source_info(source).present_bytes < 4 * INQ_MIB);
    stream_ok(source, &(struct inq_source_plan){0});
    assert_ptr_equal(inq_source_view(source, 10, 3 * INQ_MIB), early);
    assert_memory_equal(early, dump.data + 10, 3 * INQ_MIB);
    assert_int_equal(inq_source_info(source).present_bytes, dump.size);
    stream_ok(source, &(struct inq_source_plan){0}); /* a second time: nothing happens */
}

static void raw_ranges_can_be_viewed(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    const struct inq_keep_range ranges[] = {
        {.off = 1000003, .size = 700000, .keep = INQ_KEEP_RAW, .priority = 1},
        {.off = 1700003, .size = 50, .keep = INQ_KEEP_RAW, .priority = 7},
        {.off = 3000000, .size = 100, .keep = INQ_KEEP_RAW},
        {.off = 4000000, .size = 100000, .keep = INQ_KEEP_PACKED},
    };
    const struct inq_source_plan plan = {
        .ranges = ranges,
        .count = INQ_ARRAY_SIZE(ranges),
        .raw_budget_bytes = INQ_MIB,
        .packed_budget_bytes = INQ_MIB,
    };
    _cleanup_(inq_source_destroyp) struct inq_source *source =
        open_ok(file_of(packed.data, packed.size), NULL);

    (void)state;
    stream_ok(source, &plan);
    assert_memory_equal(inq_source_view(source, 1000003, 700050), dump.data + 1000003, 700050);
    assert_memory_equal(inq_source_view(source, 3000000, 100), dump.data + 3000000, 100);
    assert_null(inq_source_view(source, 3000000, 101));
    assert_null(inq_source_view(source, 4000000, 100000));
    reads_back(source, &dump, 4000000, 100000);
}

/* Noise cannot be packed. A better range that comes late drives out a worse one that came first. */
static void budget_goes_to_the_better_range(void **state)
{
    _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
    struct bytes dump = {.data = malloc(DUMP_BYTES), .size = DUMP_BYTES};
    const struct inq_keep_range ranges[] = {
        {.off = 1 * INQ_MIB, .size = 3 * INQ_MIB, .keep = INQ_KEEP_PACKED, .priority = 5},
        {.off = 5 * INQ_MIB, .size = 2 * INQ_MIB, .keep = INQ_KEEP_PACKED, .priority = 1},
        {.off = 7 * INQ_MIB, .size = INQ_MIB / 2, .keep = INQ_KEEP_PACKED, .priority = 9},
    };
    const struct inq_source_plan plan = {
        .ranges = ranges,
        .count = INQ_ARRAY_SIZE(ranges),
        .packed_budget_bytes = 3 * INQ_MIB + 8000,
    };
    struct inq_source *source;
    struct inq_gaps gaps;
    uint64_t x = 5, lost = 0;
    size_t got;

    (void)state;
    for (size_t i = 0; i < DUMP_BYTES; i += 8) {
        uint64_t word = next_random(&x);

        memcpy(dump.data + i, &word, 8);
    }
    inq_gaps_init(&gaps, arena);
    source = open_ok(pipe_of(dump.data, dump.size), &gaps);
    stream_ok(source, &plan);
    reads_back(source, &dump, 5 * INQ_MIB, 2 * INQ_MIB);
    for (uint64_t off = INQ_MIB; off < 4 * INQ_MIB; off += 4096)
        lost += read_same(source, &dump, off, 4096, &got) == INQ_READ_DROPPED ? 4096 : 0;
    assert_true(lost >= 2 * INQ_MIB && lost < 3 * INQ_MIB); /* given up in pieces of 1 MiB */
    for (uint64_t off = 7 * INQ_MIB; off < 7 * INQ_MIB + INQ_MIB / 2; off += 4096)
        lost += read_same(source, &dump, off, 4096, &got) == INQ_READ_DROPPED ? 4096 : 0;
    assert_int_equal(inq_source_info(source).dropped_bytes, lost);
    assert_int_equal(count_gaps(&gaps, INQ_G_DROPPED), 1);
    assert_int_equal(read_same(source, &dump, 7 * INQ_MIB + INQ_MIB / 2 - 8, 8, &got),
                     INQ_READ_DROPPED);
    inq_source_destroy(source);
    inq_gaps_deinit(&gaps);
    free(dump.data);
}

static void raw_over_budget_is_packed(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    const struct inq_keep_range ranges[] = {
        {.off = 1000000, .size = 2000000, .keep = INQ_KEEP_RAW, .priority = 2},
        {.off = 5000000, .size = 300000, .keep = INQ_KEEP_RAW, .priority = 0},
    };
    const struct inq_source_plan plan = {
        .ranges = ranges,
        .count = INQ_ARRAY_SIZE(ranges),
        .raw_budget_bytes = INQ_MIB,
        .packed_budget_bytes = 16 * INQ_MIB,
    };
    _cleanup_(inq_source_destroyp) struct inq_source *source =
        open_ok(pipe_of(dump.data, dump.size), NULL);

    (void)state;
    stream_ok(source, &plan);
    assert_non_null(inq_source_view(source, 5000000, 300000));
    assert_null(inq_source_view(source, 1000000, 2000000));
    reads_back(source, &dump, 1000000, 2000000);
    assert_int_equal(inq_source_info(source).dropped_bytes, 0);
}

struct wanted {
    const struct bytes *dump;
    uint64_t marker;
    size_t calls, kept;
    bool wrong;
};

static bool want_marked(void *context, uint64_t page_off, const uint8_t *page, size_t size)
{
    struct wanted *w = context;
    uint64_t word;

    w->calls++;
    if (page_off + size > w->dump->size || page_off / 4096 != (page_off + size - 1) / 4096 ||
        memcmp(page, w->dump->data + page_off, size) != 0)
        w->wrong = true;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        memcpy(&word, page + i, 8);
        if (word == w->marker) {
            w->kept++;
            return true;
        }
    }
    return false;
}

static void pages_are_kept_for_what_is_in_them(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    struct wanted wanted = {.dump = &dump, .marker = 0x1122334455667788};
    const uint64_t places[] = {1000000, 1004000, 3333328, 6000000, DUMP_BYTES - 8};
    const struct inq_keep_range ranges[] = {
        {.off = 2000001, .size = 70000, .keep = INQ_KEEP_PACKED},
        {.off = 6000000 - 8, .size = 16, .keep = INQ_KEEP_RAW},
    };
    const struct inq_source_plan plan = {
        .ranges = ranges,
        .count = INQ_ARRAY_SIZE(ranges),
        .raw_budget_bytes = 3 * 4096,
        .packed_budget_bytes = INQ_MIB,
        .want_page = want_marked,
        .context = &wanted,
    };
    _cleanup_(inq_source_destroyp) struct inq_source *source = NULL;
    size_t got;

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(places); i++)
        memcpy(dump.data + places[i], &wanted.marker, 8);
    source = open_ok(pipe_of(dump.data, dump.size), NULL);
    stream_ok(source, &plan);
    assert_false(wanted.wrong);
    assert_true(wanted.calls > 500 && wanted.calls < DUMP_BYTES / 4096);
    assert_int_equal(wanted.kept, 4); /* the fifth lies in a range */
    for (size_t i = 0; i < INQ_ARRAY_SIZE(places); i++)
        reads_back(source, &dump, places[i], 8);
    reads_back(source, &dump, 3333328 & ~4095ull, 4096);
    assert_int_equal(inq_source_info(source).dropped_bytes, 0);
    assert_int_equal(read_same(source, &dump, 65536 + 4000000 / 262144 * 262144, 8, &got),
                     INQ_READ_DROPPED);
}

/* Words all over a packed range, back and forth: more blocks than the cache has room for. */
static void random_words_of_packed_memory(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(DUMP_BYTES);
    const struct inq_keep_range range = {.off = 0, .size = DUMP_BYTES, .keep = INQ_KEEP_PACKED};
    const struct inq_source_plan plan = {
        .ranges = &range, .count = 1, .packed_budget_bytes = 16 * INQ_MIB};
    _cleanup_(inq_source_destroyp) struct inq_source *source =
        open_ok(pipe_of(dump.data, dump.size), NULL);
    uint64_t x = 31337;

    (void)state;
    stream_ok(source, &plan);
    for (int i = 0; i < 5000; i++)
        reads_back(source, &dump, next_random(&x) % (DUMP_BYTES - 8), 8);
    for (uint64_t off = 65536 - 4; off + 8 < DUMP_BYTES; off += 65536)
        reads_back(source, &dump, off, 8);
    reads_back(source, &dump, 0, DUMP_BYTES);
}

/* A core that a kernel wrote; {0} where it does not leave one in the working directory. */
static struct bytes crash_for_real(void)
{
    char dir[] = "/tmp/inq-unit-source-XXXXXX", path[128];
    struct bytes core = {0};
    struct stat st;
    pid_t child;
    int fd;

    assert_non_null(mkdtemp(dir));
    child = fork();
    if (child == 0) {
        const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

        if (chdir(dir) < 0 || setrlimit(RLIMIT_CORE, &unlimited) < 0)
            _exit(1);
        execl("/bin/sh", "sh", "-c", "kill -ABRT $$", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    snprintf(path, sizeof(path), "%s/core", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(path, sizeof(path), "%s/core.%d", dir, child);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd >= 0 && fstat(fd, &st) == 0) {
        core.size = (size_t)st.st_size;
        core.data = malloc(core.size + 1);
        assert_int_equal(inq_pread_full(fd, core.data, core.size, 0), core.size);
        close(fd);
        unlink(path);
    }
    rmdir(dir);
    return core;
}

static void real_core_plain_and_compressed(void **state)
{
    _cleanup_bytes_ struct bytes core = crash_for_real();
    _cleanup_bytes_ struct bytes packed = {0};
    struct inq_keep_range ranges[64];
    struct inq_source_plan plan = {
        .ranges = ranges, .raw_budget_bytes = 64 * INQ_MIB, .packed_budget_bytes = 64 * INQ_MIB};
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)core.data;

    (void)state;
    if (!core.data) {
        print_message("skipped: this system leaves no core in the working directory\n");
        skip();
    }
    packed = pack(core.data, core.size);
    assert_memory_equal(core.data, ELFMAG, SELFMAG);
    for (unsigned i = 0; i < header->e_phnum && plan.count < INQ_ARRAY_SIZE(ranges); i++) {
        const Elf64_Phdr *p = (const Elf64_Phdr *)(const void *)(core.data + header->e_phoff) + i;

        if (p->p_type == PT_LOAD && p->p_filesz > 0)
            ranges[plan.count++] = (struct inq_keep_range){
                .off = p->p_offset, .size = p->p_filesz, .keep = (enum inq_keep)(i % 2)};
    }
    assert_true(plan.count > 5);
    for (int how = 0; how < HOWS; how++) {
        _cleanup_(inq_source_destroyp) struct inq_source *source =
            open_ok(open_how((enum how)how, &core, &packed), NULL);

        reads_back(source, &core, 0, header->e_phoff + 56u * header->e_phnum);
        stream_ok(source, &plan);
        for (size_t i = 0; i < plan.count; i++)
            reads_back(source, &core, ranges[i].off, ranges[i].size);
    }
}

int run_keep_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_reads_the_same),
        cmocka_unit_test(head_is_kept_whole_and_stays_in_place),
        cmocka_unit_test(raw_ranges_can_be_viewed),
        cmocka_unit_test(budget_goes_to_the_better_range),
        cmocka_unit_test(raw_over_budget_is_packed),
        cmocka_unit_test(pages_are_kept_for_what_is_in_them),
        cmocka_unit_test(random_words_of_packed_memory),
        cmocka_unit_test(real_core_plain_and_compressed),
    };

    return cmocka_run_group_tests_name("source: what is kept of a stream", tests, NULL, NULL);
}
