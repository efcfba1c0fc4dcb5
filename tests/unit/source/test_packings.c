/* SPDX-License-Identifier: Apache-2.0 */

/* xz, gzip, bzip2 and lz4: whole, in several members, cut, damaged, with something behind. */

#include "source_tests.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bounds.h"
#include "cleanup.h"
#include "text.h"

static const struct inq_keep_range everything[] = {
    {.off = 0, .size = UINT64_MAX, .keep = INQ_KEEP_PACKED},
};
static const struct inq_source_plan keep_everything = {
    .ranges = everything,
    .count = 1,
    .packed_budget_bytes = 64 * INQ_MIB,
};

static struct bytes room(size_t size)
{
    return (struct bytes){.data = malloc(size), .size = size};
}

static struct bytes pack_gzip(const void *data, size_t size)
{
    struct bytes packed = room(size + size / 10 + 1000);
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (unsigned)size;
    z.next_out = packed.data;
    z.avail_out = (unsigned)packed.size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.size = z.total_out;
    deflateEnd(&z);
    return packed;
}

static struct bytes pack_xz(const void *data, size_t size)
{
    struct bytes packed = room(lzma_stream_buffer_bound(size));
    size_t n = 0;

    assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, size, packed.data, &n,
                                             packed.size),
                     LZMA_OK);
    packed.size = n;
    return packed;
}

static struct bytes pack_bzip2(const void *data, size_t size)
{
    struct bytes packed = room(size + size / 10 + 1000);
    unsigned n = (unsigned)packed.size;

    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)packed.data, &n, (char *)(uintptr_t)data,
                                              (unsigned)size, 1, 0, 0),
                     BZ_OK);
    packed.size = n;
    return packed;
}

static struct bytes pack_lz4(const void *data, size_t size)
{
    const LZ4F_preferences_t with_checksum = {.frameInfo.contentChecksumFlag =
                                                  LZ4F_contentChecksumEnabled};
    struct bytes packed = room(LZ4F_compressFrameBound(size, &with_checksum));

    packed.size = LZ4F_compressFrame(packed.data, packed.size, data, size, &with_checksum);
    assert_false(LZ4F_isError(packed.size));
    return packed;
}

static const struct packer {
    enum inq_codec codec;
    struct bytes (*pack)(const void *data, size_t size);
} packers[] = {
    {INQ_CODEC_GZIP, pack_gzip},
    {INQ_CODEC_XZ, pack_xz},
    {INQ_CODEC_BZIP2, pack_bzip2},
    {INQ_CODEC_LZ4, pack_lz4},
};

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

static void open_and_stream(struct opened *o, int fd)
{
    o->arena = inq_arena_create();
    inq_gaps_init(&o->gaps, o->arena);
    o->source = open_ok(fd, &o->gaps);
    stream_ok(o->source, &keep_everything);
}

static void check_whole(int fd, const struct bytes *dump, enum inq_codec codec)
{
    _cleanup_opened_ struct opened o = {0};

    open_and_stream(&o, fd);
    assert_int_equal(o.gaps.count, 0);
    assert_int_equal(inq_source_info(o.source).codec, codec);
    assert_int_equal(inq_source_info(o.source).present_bytes, dump->size);
    assert_false(inq_source_info(o.source).ended_early);
    reads_back(o.source, dump, 0, dump->size);
}

static void whole_from_file_and_pipe(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(1500003);

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(packers); i++) {
        _cleanup_bytes_ struct bytes packed = packers[i].pack(dump.data, dump.size);

        check_whole(file_of(packed.data, packed.size), &dump, packers[i].codec);
        check_whole(pipe_of(packed.data, packed.size), &dump, packers[i].codec);
    }
}

/* cat a.gz b.gz is one file to every one of these formats; xz pads with zeros. */
static void several_members(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(600000);

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(packers); i++) {
        _cleanup_bytes_ struct bytes packed = packers[i].pack(dump.data, 100);
        _cleanup_bytes_ struct bytes rest = packers[i].pack(dump.data + 100, dump.size - 100);

        if (packers[i].codec == INQ_CODEC_XZ)
            bytes_append(&packed, "\0\0\0\0", 4);
        bytes_append(&packed, rest.data, rest.size);
        check_whole(file_of(packed.data, packed.size), &dump, packers[i].codec);
    }
}

static void what_was_cut_off_is_a_gap(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(900000);

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(packers); i++) {
        _cleanup_bytes_ struct bytes packed = packers[i].pack(dump.data, dump.size);
        _cleanup_opened_ struct opened o = {0};

        open_and_stream(&o, file_of(packed.data, packed.size * 3 / 4));
        assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
        assert_true(inq_source_info(o.source).ended_early);
        const uint64_t present = inq_source_info(o.source).present_bytes;
        assert_true(present > 0 && present < dump.size);
        reads_back(o.source, &dump, 0, (size_t)present);
    }
}

static void damage_is_told(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(900000);

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(packers); i++) {
        _cleanup_bytes_ struct bytes packed = packers[i].pack(dump.data, dump.size);
        _cleanup_opened_ struct opened o = {0};

        /* noise is stored as it is by lz4: only its checksum at the end can tell */
        packed.data[packed.size * 2 / 3] ^= 0x55;
        open_and_stream(&o, file_of(packed.data, packed.size));
        assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
        assert_true(inq_source_info(o.source).ended_early);
    }
}

static void bytes_behind_are_a_gap(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(300000);

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(packers); i++) {
        _cleanup_bytes_ struct bytes packed = packers[i].pack(dump.data, dump.size);
        _cleanup_opened_ struct opened o = {0};

        bytes_append(&packed, "something else", 14);
        open_and_stream(&o, file_of(packed.data, packed.size));
        assert_int_equal(count_gaps(&o.gaps, INQ_G_TRAILING), 1);
        reads_back(o.source, &dump, 0, dump.size);
    }
}

static void garbage_behind_the_magic(void **state)
{
    (void)state;
    open_fails(file_of("\x1f\x8b\xff garbage ........", 20), INQ_E_ZSTD, "gzip");
    open_fails(file_of("\xfd"
                       "7zXZ\0garbage garbage garbage",
                       30),
               INQ_E_ZSTD, "xz");
    open_fails(file_of("BZh9 garbage garbage garbage", 28), INQ_E_ZSTD, "bzip2");
    open_fails(file_of("\x04\x22\x4d\x18 garbage garbage", 20), INQ_E_ZSTD, "lz4");
}

/* One line of base64, padded like apport's. */
static void append_line(struct bytes *text, const uint8_t *data, size_t size)
{
    char *line = inq_base64(data, size);

    bytes_append(text, " ", 1);
    bytes_append(text, line, strlen(line));
    bytes_append(text, "\n", 1);
    free(line);
}

static struct bytes apport_report(const struct bytes *packed, size_t first, size_t most)
{
    static const char head[] = "ProblemType: Crash\nDate: Sat Nov 21 10:00:00 2026\nNote: CoreDump:"
                               " base64\nProcMaps:\n 55d0-55d1 r--p\nCoreDump: base64\n";
    static const char tail[] = "Disassembly: base64\n aGVsbG8=\n";
    struct bytes text = {0};

    bytes_append(&text, head, sizeof(head) - 1);
    append_line(&text, packed->data, first);
    for (size_t at = first; at < packed->size; at += most)
        append_line(&text, packed->data + at, packed->size - at < most ? packed->size - at : most);
    bytes_append(&text, tail, sizeof(tail) - 1);
    return text;
}

static void the_dump_in_an_apport_report(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(700001);
    _cleanup_bytes_ struct bytes packed = pack_gzip(dump.data, dump.size);

    (void)state;
    for (size_t first = 10; first < 14; first++) { /* every kind of padding */
        _cleanup_bytes_ struct bytes text = apport_report(&packed, first, 100000 + first);

        check_whole(file_of(text.data, text.size), &dump, INQ_CODEC_GZIP);
        check_whole(pipe_of(text.data, text.size), &dump, INQ_CODEC_GZIP);
    }
    open_fails(file_of("ProblemType: Crash\nDate: today\n", 32), INQ_E_EMPTY, "without a core");
}

static void a_damaged_apport_report(void **state)
{
    _cleanup_bytes_ struct bytes dump = make_dump(700001);
    _cleanup_bytes_ struct bytes packed = pack_gzip(dump.data, dump.size);
    _cleanup_bytes_ struct bytes text = apport_report(&packed, 10, 5000);
    _cleanup_opened_ struct opened o = {0};

    (void)state;
    text.data[text.size / 2] = '%';
    open_and_stream(&o, file_of(text.data, text.size));
    assert_int_equal(count_gaps(&o.gaps, INQ_G_STREAM_CUT), 1);
    assert_true(inq_source_info(o.source).present_bytes < dump.size);
}

int run_packings_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_from_file_and_pipe),     cmocka_unit_test(several_members),
        cmocka_unit_test(what_was_cut_off_is_a_gap),    cmocka_unit_test(damage_is_told),
        cmocka_unit_test(bytes_behind_are_a_gap),       cmocka_unit_test(garbage_behind_the_magic),
        cmocka_unit_test(the_dump_in_an_apport_report), cmocka_unit_test(a_damaged_apport_report),
    };

    return cmocka_run_group_tests_name("packings", tests, NULL, NULL);
}
