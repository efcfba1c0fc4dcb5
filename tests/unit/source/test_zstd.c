/* SPDX-License-Identifier: Apache-2.0 */
#include "source_tests.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "cleanup.h"
#include "bounds.h"

static const struct inq_keep_range everything[] = {
    {.off = 0, .size = UINT64_MAX, .keep = INQ_KEEP_PACKED},
};
static const struct inq_source_plan keep_everything = {
    .ranges = everything,
    .count = 1,
    .packed_budget_bytes = 64 * INQ_MIB,
};

/* An empty frame: a raw last block without bytes. */
static const uint8_t empty_frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00};
static const uint8_t skippable_frame[] = {0x5a, 0x2a, 0x4d, 0x18, 5,   0,  0,
                                          0,    'h',  'e',  'l',  'l', 'o'};

struct opened {
    struct inq_arena *arena;
    struct inq_gaps gaps;
    struct inq_source *source;
};

static void opened_close(struct opened *o)
{
    inq_source_destroy(o->source);
    inq_gaps_deinit(&o->gaps);
    inq_arena_destroy(o->arena);
}
#define _cleanup_opened_ __attribute__((cleanup(opened_close)))

static void open_and_stream(struct opened *o, int fd, const struct inq_source_plan *plan)
{
    o->arena = inq_arena_create();
    inq_gaps_init(&o->gaps, o->arena);
    o->source = open_ok(fd, &o->gaps);
    stream_ok(o->source, plan);
}

static void check_whole(int fd, const struct bytes *dump)
{
    _cleanup_opened_ struct opened o = {0};
    size_t got;

    open_and_stream(&o, fd, &keep_everything);
    assert_int_equal(o.gaps.count, 0);
    assert_false(inq_source_info(o.source).ended_early);
    assert_true(inq_source_info(o.source).stream);
    assert_int_equal(inq_source_info(o.source).present_bytes, dump->size);
    assert_int_equal(inq_source_info(o.source).dropped_bytes, 0);
    reads_back(o.source, dump, 0, dump->size);
    assert_int_equal(read_same(o.source, dump, dump->size / 2, dump->size, &got), INQ_READ_END);
    assert_int_equal(got, dump->size - dump->size / 2);
}

static void one_frame_from_file_and_pipe(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(3000003);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    int fd = file_of(packed.data, packed.size);

    (void)state;
    assert_int_equal(ZSTD_getFrameContentSize(packed.data, packed.size), ZSTD_CONTENTSIZE_UNKNOWN);
    assert_int_equal(lseek(fd, 100, SEEK_SET), 100); /* where the descriptor stands is no matter */
    check_whole(fd, &dump);
    check_whole(pipe_of(packed.data, packed.size), &dump);
    check_whole(pipe_of(dump.data, dump.size), &dump);
}

static void frame_that_declares_its_size(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(700000);
    _cleanup_bytes_ struct bytes packed = {0};

    (void)state;

    packed.data = realloc(packed.data, ZSTD_compressBound(dump.size));
    packed.size =
        ZSTD_compress(packed.data, ZSTD_compressBound(dump.size), dump.data, dump.size, 1);
    assert_false(ZSTD_isError(packed.size));
    check_whole(file_of(packed.data, packed.size), &dump);
}

/* pzstd begins with a skippable frame; frames may be empty; every one counts. */
static void many_frames(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(900000);
    _cleanup_bytes_ struct bytes packed = {0};
    const size_t cuts[] = {0, 1, 4096, 131072, 500001, 900000};

    (void)state;
    bytes_append(&packed, skippable_frame, sizeof(skippable_frame));
    bytes_append(&packed, empty_frame, sizeof(empty_frame));
    for (size_t i = 0; i + 1 < INQ_ARRAY_SIZE(cuts); i++) {
        _cleanup_bytes_ struct bytes frame = pack(dump.data + cuts[i], cuts[i + 1] - cuts[i]);

        bytes_append(&packed, frame.data, frame.size);
        bytes_append(&packed, empty_frame, sizeof(empty_frame));
        bytes_append(&packed, skippable_frame, sizeof(skippable_frame));
    }
    check_whole(file_of(packed.data, packed.size), &dump);
    check_whole(pipe_of(packed.data, packed.size), &dump);
}

/* 2 GiB of skippable frame in a sparse file: not one byte of it is read. */
static void huge_skippable_frame(void **state)
{
    static const uint8_t header[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0x80};
    _cleanup_bytes_ struct bytes dump = make_dump(100000);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    int fd = memfd_create("dump", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(pwrite(fd, header, sizeof(header), 0), sizeof(header));
    assert_int_equal(pwrite(fd, packed.data, packed.size, (off_t)(2 * INQ_GIB) + 8), packed.size);
    check_whole(fd, &dump);
}

static void nothing_in_the_frames_is_an_empty_file(void **state)
{
    _cleanup_bytes_ struct bytes packed = {0};

    (void)state;
    bytes_append(&packed, skippable_frame, sizeof(skippable_frame));
    open_fails(file_of(packed.data, packed.size), INQ_E_EMPTY, "empty file");
    for (int i = 0; i < 1000; i++)
        bytes_append(&packed, empty_frame, sizeof(empty_frame));
    open_fails(file_of(packed.data, packed.size), INQ_E_EMPTY, "empty file");
    open_fails(pipe_of(packed.data, packed.size), INQ_E_EMPTY, "empty file");
}

/* Skippable frames are lz4's too: what follows decides. */
static void magic_behind_a_skippable_frame_decides(void **state)
{
    _cleanup_bytes_ struct bytes file = {0};

    (void)state;
    bytes_append(&file, skippable_frame, sizeof(skippable_frame));
    bytes_append(&file, "\x04\x22\x4d\x18........", 12);
    open_fails(file_of(file.data, file.size), INQ_E_COMPRESSION, "lz4");
    memcpy(file.data + sizeof(skippable_frame), "junk", 4);
    open_fails(file_of(file.data, file.size), INQ_E_ZSTD, "no zstd frame");
}

static void bytes_behind_the_last_frame_are_a_gap(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(300000);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    _cleanup_opened_ struct opened o = {0};

    (void)state;
    bytes_append(&packed, "trailing junk", 13);
    open_and_stream(&o, file_of(packed.data, packed.size), &keep_everything);
    assert_int_equal(o.gaps.count, 1);
    assert_int_equal(o.gaps.items[0].code, INQ_G_TRAILING);
    assert_false(inq_source_info(o.source).ended_early);
    reads_back(o.source, &dump, 0, dump.size);
}

/* 28 b5 2f fd, no checksum or sizes, the window byte: exponent over 2^10 in the upper five bits. */
static void window_over_128_mib_is_refused(void **state)
{
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x21, 0, 0, 'd', 'a', 't', 'a'};
    const struct bytes dump = {.data = frame + 9, .size = 4};
    _cleanup_bytes_ struct bytes first = make_dump(4096), both = pack(first.data, first.size);
    _cleanup_opened_ struct opened o = {0};
    size_t got;

    (void)state;
    open_fails(file_of(frame, sizeof(frame)), INQ_E_WINDOW, "window larger than 128 MiB");
    open_fails(pipe_of(frame, sizeof(frame)), INQ_E_WINDOW, "window larger than 128 MiB");
    /* Behind a good frame it costs the rest only. */
    bytes_append(&both, frame, sizeof(frame));
    open_and_stream(&o, file_of(both.data, both.size), &keep_everything);
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
    reads_back(o.source, &first, 0, first.size);
    assert_int_equal(read_same(o.source, &first, first.size, 1, &got), INQ_READ_END);

    frame[5] = 0x88; /* 128 MiB exactly */
    check_whole(file_of(frame, sizeof(frame)), &dump);
}

static void cut_anywhere_keeps_what_came_before(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(2000000);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    uint64_t x = 99, last = 0;

    (void)state;
    for (int i = 0; i < 60; i++) {
        size_t cut = i < 20 ? (size_t)i : next_random(&x) % packed.size;
        _cleanup_(inq_arena_destroyp) struct inq_arena *arena = inq_arena_create();
        struct inq_source *source = NULL;
        struct inq_error *error;
        struct inq_gaps gaps;
        uint64_t present;
        size_t got;

        inq_gaps_init(&gaps, arena);
        error = inq_source_open(i % 2 ? file_of(packed.data, cut) : pipe_of(packed.data, cut),
                                "cut", &gaps, &source);
        if (error) {
            assert_true(cut < 70000);
            assert_true(error->code == INQ_E_ZSTD || error->code == INQ_E_EMPTY);
            assert_int_equal(error->code == INQ_E_EMPTY, cut == 0);
            inq_error_destroy(error);
            continue;
        }
        stream_ok(source, &keep_everything);
        if (cut < 4) { /* no magic: a plain file or stream of that many bytes */
            inq_source_destroy(source);
            continue;
        }
        assert_int_equal(count_gaps(&gaps, INQ_G_STREAM_CUT), 1);
        assert_true(inq_source_info(source).ended_early);
        present = inq_source_info(source).present_bytes;
        assert_true(present > 0 && present <= dump.size);
        reads_back(source, &dump, 0, present);
        assert_int_equal(read_same(source, &dump, present, 8, &got), INQ_READ_END);
        last = present > last ? present : last;
        inq_source_destroy(source);
        inq_gaps_deinit(&gaps);
    }
    assert_true(last > dump.size / 2);
}

/* The checksum comes last: all bytes are there, the [stack] at the end of a dump too. */
static void wrong_checksum_loses_nothing(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(1500000);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    _cleanup_opened_ struct opened o = {0};

    (void)state;
    packed.data[packed.size - 1] ^= 1;
    open_and_stream(&o, file_of(packed.data, packed.size), &keep_everything);
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
    assert_non_null(strstr(o.gaps.items[0].why, "checksum"));
    assert_true(inq_source_info(o.source).ended_early);
    assert_int_equal(inq_source_info(o.source).present_bytes, dump.size);
    reads_back(o.source, &dump, 0, dump.size);
}

/* Blocks of 128 KiB: the one that is damaged is lost, and what follows it; those before are not. */
static void damaged_block_keeps_the_blocks_before(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(4 * 131072);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size - 131072);
    _cleanup_opened_ struct opened o = {0};
    size_t body = packed.size;

    (void)state;
    /* In place of the last block's header: one of the reserved type 3. */
    for (size_t pos = 6; pos + 3 <= packed.size;) {
        uint32_t header = packed.data[pos] | (uint32_t)packed.data[pos + 1] << 8 |
                          (uint32_t)packed.data[pos + 2] << 16;

        body = pos;
        if (header & 1)
            break;
        pos += 3 + (header >> 1 & 3 ? (header >> 1 & 3) == 1 ? 1 : header >> 3 : header >> 3);
    }
    packed.data[body] |= 6;
    open_and_stream(&o, file_of(packed.data, packed.size), &keep_everything);
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
    assert_true(inq_source_info(o.source).present_bytes >= 2 * 131072);
    reads_back(o.source, &dump, 0, inq_source_info(o.source).present_bytes);
}

/* Half of a small file is junk, in every place: never a crash, never a byte that is made up. */
static void damaged_anywhere_never_crashes(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(200000);
    _cleanup_bytes_ struct bytes packed = pack(dump.data, dump.size);
    uint64_t x = 7;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct inq_source *source = NULL;
        struct inq_error *error;
        int fd = memfd_create("dump", MFD_CLOEXEC);
        uint8_t junk = (uint8_t)next_random(&x);
        uint8_t buf[4096];
        size_t got;

        assert_int_equal(pwrite(fd, packed.data, packed.size, 0), packed.size);
        assert_int_equal(pwrite(fd, &junk, 1, (off_t)(next_random(&x) % packed.size)), 1);
        assert_int_equal(pwrite(fd, &junk, 1, (off_t)(next_random(&x) % 300)), 1);
        error = inq_source_open(fd, "damaged", NULL, &source);
        if (!error)
            error = inq_source_stream(source, &keep_everything);
        if (!error)
            inq_source_read(source, next_random(&x) % dump.size, buf, sizeof(buf), &got);
        assert_true(!error || inq_code_exit(error->code) == 3);
        inq_error_destroy(error);
        inq_source_destroy(source);
    }
}

static struct bytes pack_zeros(uint64_t size)
{
    static uint8_t zeros[1 << 20];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    struct bytes packed = {0};
    size_t left;

    do {
        ZSTD_inBuffer in = {.src = zeros, .size = size < sizeof(zeros) ? size : sizeof(zeros)};

        size -= in.size;
        do {
            uint8_t piece[65536];
            ZSTD_outBuffer out = {.dst = piece, .size = sizeof(piece)};

            left = ZSTD_compressStream2(context, &out, &in, size ? ZSTD_e_continue : ZSTD_e_end);
            assert_false(ZSTD_isError(left));
            bytes_append(&packed, piece, out.pos);
        } while (in.pos < in.size || (size == 0 && left > 0));
    } while (size > 0);
    ZSTD_freeCCtx(context);
    return packed;
}

static size_t allocated(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

/* 33 kB of file, 1 GiB of zeros, all of it wanted in either way. */
static void bomb_of_zeros_takes_no_memory(void **state)
{
    const struct inq_keep_range ranges[] = {
        {.off = 0, .size = 512 * INQ_MIB, .keep = INQ_KEEP_PACKED},
        {.off = 700 * INQ_MIB, .size = 16 * INQ_MIB, .keep = INQ_KEEP_RAW},
    };
    const struct inq_source_plan plan = {
        .ranges = ranges,
        .count = INQ_ARRAY_SIZE(ranges),
        .raw_budget_bytes = 32 * INQ_MIB,
        .packed_budget_bytes = INQ_MIB,
    };
    _cleanup_bytes_ struct bytes packed = pack_zeros(INQ_GIB);
    size_t before = allocated(), got;
    _cleanup_opened_ struct opened o = {0};
    uint64_t word = 1;

    (void)state;
    assert_true(packed.size < 200000);
    open_and_stream(&o, file_of(packed.data, packed.size), &plan);
    /* 16 MiB are address space for the raw range; the decoder's window is 2 MiB. */
    assert_true(allocated() - before < 24 * INQ_MIB);
    assert_int_equal(o.gaps.count, 0);
    assert_int_equal(inq_source_info(o.source).present_bytes, INQ_GIB);
    for (uint64_t off = 0; off < INQ_GIB; off += 16 * INQ_MIB + 4096) {
        assert_int_equal(inq_source_read(o.source, off, &word, 8, &got), INQ_READ_OK);
        assert_int_equal(word, 0);
        word = 1;
    }
}

static void bomb_stops_at_the_limit(void **state)
{
    _cleanup_bytes_ struct bytes packed = pack_zeros(64 * INQ_MIB);
    struct inq_source_plan plan = keep_everything;
    _cleanup_opened_ struct opened o = {0}, exact = {0};
    uint8_t byte;
    size_t got;

    (void)state;
    plan.max_unpacked_bytes = 10 * INQ_MIB + 1;
    open_and_stream(&o, file_of(packed.data, packed.size), &plan);
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_LIMIT), 1);
    assert_true(inq_source_info(o.source).ended_early);
    assert_int_equal(inq_source_info(o.source).present_bytes, 10 * INQ_MIB + 1);
    assert_int_equal(inq_source_read(o.source, 10 * INQ_MIB, &byte, 1, &got), INQ_READ_OK);
    assert_int_equal(inq_source_read(o.source, 10 * INQ_MIB + 1, &byte, 1, &got), INQ_READ_END);

    plan.max_unpacked_bytes = 64 * INQ_MIB; /* as much as there is: no gap */
    open_and_stream(&exact, file_of(packed.data, packed.size), &plan);
    assert_int_equal(exact.gaps.count, 0);
    assert_false(inq_source_info(exact.source).ended_early);
}

/* The header says 2^40 bytes; there are four. */
static void declared_sizes_are_not_believed(void **state)
{
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x58, 0,   0,   0,   0,  0,
                       1,    0,    0,    0x20, 0,    0,    'd', 'a', 't', 'a'};
    size_t before = allocated(), got;
    _cleanup_opened_ struct opened o = {0};
    uint8_t buf[8];

    (void)state;
    assert_int_equal(ZSTD_getFrameContentSize(frame, sizeof(frame)), 1ull << 40);
    open_and_stream(&o, file_of(frame, sizeof(frame)), &keep_everything);
    assert_true(allocated() - before < 8 * INQ_MIB);
    assert_int_equal(inq_source_read(o.source, 0, buf, 8, &got), INQ_READ_END);
    assert_int_equal(got, 4);
    assert_memory_equal(buf, "data", 4);
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
}

int run_zstd_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_frame_from_file_and_pipe),
        cmocka_unit_test(frame_that_declares_its_size),
        cmocka_unit_test(many_frames),
        cmocka_unit_test(huge_skippable_frame),
        cmocka_unit_test(nothing_in_the_frames_is_an_empty_file),
        cmocka_unit_test(magic_behind_a_skippable_frame_decides),
        cmocka_unit_test(bytes_behind_the_last_frame_are_a_gap),
        cmocka_unit_test(window_over_128_mib_is_refused),
        cmocka_unit_test(cut_anywhere_keeps_what_came_before),
        cmocka_unit_test(wrong_checksum_loses_nothing),
        cmocka_unit_test(damaged_block_keeps_the_blocks_before),
        cmocka_unit_test(damaged_anywhere_never_crashes),
        cmocka_unit_test(bomb_of_zeros_takes_no_memory),
        cmocka_unit_test(bomb_stops_at_the_limit),
        cmocka_unit_test(declared_sizes_are_not_believed),
    };

    return cmocka_run_group_tests_name("source: zstd", tests, NULL, NULL);
}
