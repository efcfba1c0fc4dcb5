/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "modules_tests.h"
#include "packed.h"

#define PLAIN_BYTES 100000u

static uint8_t plain[PLAIN_BYTES];

static void make_plain(void)
{
    for (size_t i = 0; i < PLAIN_BYTES; i++)
        plain[i] = (uint8_t)((i * i) >> 7);
}

/* An ELF64 file with one section of this name, flags and content, and one with the names. */
static struct inq_image *make_image(struct inq_arena *arena, const char *name, uint64_t flags,
                                    const uint8_t *content, size_t size)
{
    const size_t names_at = sizeof(Elf64_Ehdr), names_size = 64;
    const size_t content_at = names_at + names_size, table_at = (content_at + size + 7) & ~7ul;
    const size_t total = table_at + 3 * sizeof(Elf64_Shdr);
    uint8_t *bytes = calloc(1, total);
    struct inq_image *image;
    Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = 1};
    Elf64_Shdr sections[3] = {0};

    assert_non_null(bytes);
    memcpy(header.e_ident, ELFMAG "\2\1\1", 7);
    header.e_ehsize = sizeof(header);
    header.e_shoff = table_at;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 1;
    sections[1].sh_type = SHT_STRTAB;
    sections[1].sh_offset = names_at;
    sections[1].sh_size = names_size;
    sections[2].sh_name = 1;
    sections[2].sh_type = SHT_PROGBITS;
    sections[2].sh_flags = flags;
    sections[2].sh_offset = content_at;
    sections[2].sh_size = size;
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + names_at + 1, name, strlen(name));
    memcpy(bytes + content_at, content, size);
    memcpy(bytes + table_at, sections, sizeof(sections));
    assert_null(inq_image_take(bytes, total, arena, &image));
    return image;
}

static size_t pack_zlib(uint8_t *out, size_t size)
{
    struct libdeflate_compressor *state = libdeflate_alloc_compressor(6);
    assert_non_null(state);
    size_t packed = libdeflate_zlib_compress(state, plain, PLAIN_BYTES, out, size);
    libdeflate_free_compressor(state);
    assert_true(packed > 0);
    return packed;
}

static enum inq_packed unpack_as(uint32_t method, uint64_t claim, const uint8_t *packed,
                                 size_t size, uint64_t *left, bool check)
{
    struct inq_arena *arena = inq_arena_create();
    uint8_t *content = malloc(size + sizeof(Elf64_Chdr));
    Elf64_Chdr header = {.ch_type = method, .ch_size = claim, .ch_addralign = 1};
    const uint8_t *bytes = NULL;
    size_t unpacked = 0;

    assert_non_null(arena);
    assert_non_null(content);
    memcpy(content, &header, sizeof(header));
    if (size > 0)
        memcpy(content + sizeof(header), packed, size);
    struct inq_image *image =
        make_image(arena, ".debug_info", SHF_COMPRESSED, content, size + sizeof(header));
    enum inq_packed result =
        inq_image_debug_section(image, ".debug_info", arena, left, &bytes, &unpacked);
    if (check) {
        assert_int_equal(unpacked, PLAIN_BYTES);
        assert_memory_equal(bytes, plain, PLAIN_BYTES);
    }
    inq_image_close(image);
    inq_arena_destroy(arena);
    free(content);
    return result;
}

static void sections_are_unpacked(void **state)
{
    static uint8_t packed[2 * PLAIN_BYTES];
    uint64_t left = 3 * PLAIN_BYTES;

    (void)state;
    make_plain();
    size_t size = pack_zlib(packed, sizeof(packed));
    assert_int_equal(unpack_as(ELFCOMPRESS_ZLIB, PLAIN_BYTES, packed, size, &left, true),
                     INQ_PACKED_OK);
    assert_int_equal(left, 2 * PLAIN_BYTES);
    size = ZSTD_compress(packed, sizeof(packed), plain, PLAIN_BYTES, 3);
    assert_int_equal(unpack_as(2, PLAIN_BYTES, packed, size, &left, true), INQ_PACKED_OK);
    assert_int_equal(left, PLAIN_BYTES);
}

static void claims_are_checked(void **state)
{
    static uint8_t packed[2 * PLAIN_BYTES];
    uint64_t left = INQ_MAX_UNPACKED_SECTIONS;

    (void)state;
    make_plain();
    size_t size = pack_zlib(packed, sizeof(packed));
    assert_int_equal(unpack_as(1, 1ull << 40, packed, size, &left, false), INQ_PACKED_LIMIT);
    assert_int_equal(unpack_as(2, UINT64_MAX, packed, size, &left, false), INQ_PACKED_LIMIT);
    /* no limit is hit, but deflate cannot have made that of so little: nothing is reserved */
    assert_int_equal(unpack_as(1, 200u << 20, packed, 100, &left, false), INQ_PACKED_DAMAGED);
    assert_int_equal(left, INQ_MAX_UNPACKED_SECTIONS);
    assert_int_equal(unpack_as(1, PLAIN_BYTES - 1, packed, size, &left, false), INQ_PACKED_DAMAGED);
    assert_int_equal(unpack_as(1, PLAIN_BYTES + 1, packed, size, &left, false), INQ_PACKED_DAMAGED);
    assert_int_equal(unpack_as(1, PLAIN_BYTES, packed, size / 2, &left, false), INQ_PACKED_DAMAGED);
    assert_int_equal(unpack_as(2, PLAIN_BYTES, packed, size, &left, false), INQ_PACKED_DAMAGED);
    assert_int_equal(unpack_as(1, 0, packed, size, &left, false), INQ_PACKED_NONE);
    assert_int_equal(unpack_as(1, 100, NULL, 0, &left, false), INQ_PACKED_NONE);
    assert_int_equal(unpack_as(77, 100, packed, size, &left, false), INQ_PACKED_METHOD);
    left = PLAIN_BYTES - 1;
    assert_int_equal(unpack_as(1, PLAIN_BYTES, packed, size, &left, false), INQ_PACKED_LIMIT);
}

static void old_names_are_found(void **state)
{
    static uint8_t content[2 * PLAIN_BYTES] = "ZLIB\0\0\0\0\0\1\x86\xa0"; /* 100000 */
    struct inq_arena *arena = inq_arena_create();
    uint64_t left = PLAIN_BYTES, claim;
    const uint8_t *bytes;
    size_t size;

    (void)state;
    make_plain();
    size = pack_zlib(content + 12, sizeof(content) - 12);
    struct inq_image *image = make_image(arena, ".zdebug_line", 0, content, size + 12);
    assert_true(inq_image_has_debug_section(image, ".debug_line"));
    assert_false(inq_image_has_debug_section(image, ".debug_info"));
    assert_true(inq_image_debug_section_packed(image, ".debug_line", &claim));
    assert_int_equal(claim, PLAIN_BYTES);
    assert_int_equal(inq_image_debug_section(image, ".debug_line", arena, &left, &bytes, &size),
                     INQ_PACKED_OK);
    assert_int_equal(size, PLAIN_BYTES);
    assert_memory_equal(bytes, plain, size);
    assert_int_equal(left, 0);
    inq_image_close(image);
    inq_arena_destroy(arena);
}

static void xz_is_bounded(void **state)
{
    static uint8_t packed[2 * PLAIN_BYTES];
    uint8_t *bytes;
    size_t packed_size = 0, size;

    (void)state;
    make_plain();
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, plain, PLAIN_BYTES, packed,
                                             &packed_size, sizeof(packed)),
                     LZMA_OK);
    assert_int_equal(inq_unpack_xz(packed, packed_size, 1 << 20, &bytes, &size), INQ_PACKED_OK);
    assert_int_equal(size, PLAIN_BYTES);
    assert_memory_equal(bytes, plain, size);
    free(bytes);
    assert_int_equal(inq_unpack_xz(packed, packed_size, PLAIN_BYTES - 1, &bytes, &size),
                     INQ_PACKED_LIMIT);
    for (size_t cut = 0; cut < packed_size; cut += 1 + packed_size / 50)
        assert_int_equal(inq_unpack_xz(packed, cut, 1 << 20, &bytes, &size), INQ_PACKED_DAMAGED);
    packed[packed_size / 2] ^= 0x55;
    assert_int_equal(inq_unpack_xz(packed, packed_size, 1 << 20, &bytes, &size),
                     INQ_PACKED_DAMAGED);
    assert_int_equal(inq_unpack_xz(plain, PLAIN_BYTES, 1 << 20, &bytes, &size), INQ_PACKED_DAMAGED);
}

int run_packed_tests(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_unpacked),
        cmocka_unit_test(claims_are_checked),
        cmocka_unit_test(old_names_are_found),
        cmocka_unit_test(xz_is_bounded),
    };

    return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
