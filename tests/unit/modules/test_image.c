/* SPDX-License-Identifier: Apache-2.0 */
#include "modules_tests.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

static uint8_t *libc_bytes;
static size_t libc_size;
static char libc_path[512];
static struct inq_arena *arena;

static int find_libc(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    if (strstr(info->dlpi_name, "/libc.so") || strstr(info->dlpi_name, "/libc-"))
        strncpy(libc_path, info->dlpi_name, sizeof(libc_path) - 1);
    return 0;
}

static int set_up(void **state)
{
    struct stat st;
    int fd;

    (void)state;
    dl_iterate_phdr(find_libc, NULL);
    fd = open(libc_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    libc_size = (size_t)st.st_size;
    libc_bytes = malloc(libc_size);
    if (!libc_bytes || inq_read_full(fd, libc_bytes, libc_size) != (ssize_t)libc_size)
        return -1;
    close(fd);
    arena = inq_arena_create();
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(libc_bytes);
    inq_arena_destroy(arena);
    return 0;
}

/* Opens bytes as a file would be; NULL when they are refused. */
static struct inq_image *open_bytes(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    struct inq_image *image = NULL;
    struct inq_error *error;

    assert_true(fd >= 0);
    assert_int_equal(inq_write_full(fd, bytes, size), 0);
    error = inq_image_open(fd, arena, &image);
    close(fd);
    assert_true((error == NULL) == (image != NULL));
    inq_error_destroy(error);
    return image;
}

/* Touches everything that a view promises. */
static size_t walk_table(const struct inq_image *image, const struct inq_image_symbols *table)
{
    struct inq_symbol symbol;
    size_t good = 0;

    for (size_t i = 0; i < table->count; i++)
        if (inq_image_symbol(image, table, i, &symbol)) {
            good++;
            assert_true(strlen(symbol.name) < table->strings_size);
            assert_true(symbol.size <= UINT64_MAX - symbol.addr);
        }
    return good;
}

static void walk(const struct inq_image *image)
{
    struct inq_image_section section;
    volatile uint8_t sum = 0;

    walk_table(image, &image->symtab);
    walk_table(image, &image->dynsym);
    if (image->soname)
        sum = (uint8_t)strlen(image->soname);
    if (inq_image_section(image, ".eh_frame", &section) && section.size > 0)
        sum = (uint8_t)(section.bytes[0] + section.bytes[section.size - 1]);
    for (size_t i = 0; i < image->n_segments; i++) {
        size_t left = 0;
        const uint8_t *p = inq_image_at(image, image->segments[i].addr, &left);

        if (p && left > 0)
            sum = (uint8_t)(sum + p[0] + p[left - 1]);
    }
    (void)sum;
}

static void the_c_library(void **state)
{
    struct inq_image *image = open_bytes(libc_bytes, libc_size);
    struct inq_image_section section;
    struct inq_symbol symbol;

    (void)state;
    assert_non_null(image);
    assert_false(image->damaged);
    assert_int_equal(image->size, libc_size);
    assert_int_equal(image->type, ET_DYN);
    assert_true(image->n_segments > 4);
    assert_true(image->dynsym.count > 1000);
    assert_int_equal(walk_table(image, &image->dynsym), image->dynsym.count);
    assert_true(strncmp(image->soname, "libc.so", 7) == 0);
    assert_true(inq_image_find_symbol(image, "free", &symbol));
    assert_string_equal(symbol.name, "free");
    assert_true(symbol.addr != 0 && symbol.size > 0);
    assert_false(inq_image_find_symbol(image, "no such symbol", &symbol));
    assert_true(inq_image_section(image, ".dynsym", &section));
    assert_ptr_equal(section.bytes, image->dynsym.symbols);
    assert_false(inq_image_section(image, ".nothing", &section));
    walk(image);
    inq_image_close(image);
    inq_image_close(NULL);
}

/* Section headers are not needed to run: strip --strip-section-headers, UPX, memory dumps. */
static void without_section_headers(void **state)
{
    struct inq_image *full = open_bytes(libc_bytes, libc_size), *bare;
    uint8_t *copy = malloc(libc_size);
    Elf64_Ehdr header;
    struct inq_symbol a, b;

    (void)state;
    if (full->elf_class != 64) {
        free(copy);
        inq_image_close(full);
        print_message("skipped: this machine's files are not of 64 bits\n");
        skip();
    }
    memcpy(copy, libc_bytes, libc_size);
    memcpy(&header, copy, sizeof(header));
    header.e_shoff = 0;
    header.e_shnum = header.e_shstrndx = 0;
    memcpy(copy, &header, sizeof(header));
    bare = open_bytes(copy, libc_size);
    assert_non_null(bare);
    assert_int_equal(bare->n_sections, 0);
    assert_false(bare->damaged);
    /* The hash table reaches to the last symbol. */
    assert_int_equal(bare->dynsym.count, full->dynsym.count);
    assert_string_equal(bare->soname, full->soname);
    assert_true(inq_image_find_symbol(full, "malloc", &a));
    assert_true(inq_image_find_symbol(bare, "malloc", &b));
    assert_int_equal(a.addr, b.addr);
    inq_image_close(full);
    inq_image_close(bare);
    free(copy);
}

static void not_elf(void **state)
{
    static const uint8_t text[] = "#!/bin/sh\necho this is no ELF file, and it is long enough\n";

    (void)state;
    assert_null(open_bytes(text, sizeof(text)));
    assert_null(open_bytes(text, 0));
    assert_null(open_bytes(libc_bytes, 51));
    assert_non_null(open_bytes(libc_bytes, 64)); /* a header and nothing else: damaged */
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        /* Cut at a page's end nothing is mapped behind it. */
        size_t size = i < 40 ? 40 + i * 16 : libc_size / 100 * i & (i % 2 ? ~4095ull : ~0ull);
        struct inq_image *image = open_bytes(libc_bytes, size);

        if (!image)
            continue;
        assert_true(image->damaged); /* the section headers lie at the end */
        walk(image);
        inq_image_close(image);
    }
}

/* A small ELF of our own would not do: the mutants are of a real file. */
static void mutants(void **state)
{
    static char program[] = "/proc/self/exe";
    int fd = open(program, O_RDONLY | O_CLOEXEC);
    uint32_t seed = 99;
    struct stat st;
    uint8_t *bytes, *copy;
    size_t size, opened = 0;

    (void)state;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    size = (size_t)st.st_size;
    bytes = malloc(size);
    copy = malloc(size);
    assert_true(bytes && copy);
    assert_int_equal(inq_read_full(fd, bytes, size), size);
    close(fd);
    for (unsigned round = 0; round < 400; round++) {
        const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)bytes;
        struct inq_image *image;

        memcpy(copy, bytes, size);
        for (unsigned i = 0; i <= round % 16; i++) {
            size_t at;

            seed = seed * 1103515245u + 12345u;
            at = seed >> 3;
            at = round % 4 == 0   ? at % 64
                 : round % 4 == 1 ? 64 + at % 700
                 : round % 4 == 2 ? header->e_shoff + at % (size - header->e_shoff)
                                  : at % size;
            copy[at] = (uint8_t)(seed >> 24);
        }
        image = open_bytes(copy, size);
        if (!image)
            continue;
        opened++;
        walk(image);
        inq_image_close(image);
    }
    assert_true(opened > 200);
    free(bytes);
    free(copy);
}

/* robustness.md of the design, row 54. */
static void lies_in_the_symbol_table(void **state)
{
    struct {
        Elf64_Ehdr header;
        Elf64_Shdr sections[3];
        Elf64_Sym symbols[4];
        char strings[16];
    } file = {0};
    struct inq_image *image;
    struct inq_symbol symbol;

    (void)state;
    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_type = ET_DYN;
    file.header.e_shoff = sizeof(file.header);
    file.header.e_shentsize = sizeof(Elf64_Shdr);
    file.header.e_shnum = 3;
    file.sections[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                                    .sh_offset = offsetof(__typeof__(file), symbols),
                                    .sh_size = sizeof(file.symbols),
                                    .sh_link = 2,
                                    .sh_entsize = sizeof(Elf64_Sym)};
    file.sections[2] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
                                    .sh_offset = offsetof(__typeof__(file), strings),
                                    .sh_size = sizeof(file.strings)};
    memcpy(file.strings, "\0good\0unfinished", 16); /* no NUL at the end */
    file.symbols[1] = (Elf64_Sym){.st_name = 1, .st_shndx = 1, .st_value = 16, .st_size = 4};
    file.symbols[2] = (Elf64_Sym){.st_name = 4000, .st_shndx = 1, .st_value = 32};
    file.symbols[3] = (Elf64_Sym){.st_name = 1, .st_value = 64, .st_size = UINT64_MAX};

    image = open_bytes((const uint8_t *)&file, sizeof(file));
    assert_non_null(image);
    assert_int_equal(image->symtab.count, 4);
    assert_int_equal(image->symtab.strings_size, 6);
    assert_true(inq_image_symbol(image, &image->symtab, 1, &symbol));
    assert_string_equal(symbol.name, "good");
    assert_false(inq_image_symbol(image, &image->symtab, 2, &symbol)); /* name outside */
    assert_false(inq_image_symbol(image, &image->symtab, 3, &symbol)); /* 2^64 - 1 bytes */
    assert_false(inq_image_symbol(image, &image->symtab, 4, &symbol)); /* beyond the end */
    inq_image_close(image);

    for (unsigned lie = 0; lie < 5; lie++) {
        Elf64_Shdr *s = &file.sections[1], was = *s;

        s->sh_entsize = lie == 0 ? 0 : lie == 1 ? 23 : s->sh_entsize;
        s->sh_size = lie == 2 ? UINT64_MAX - 8 : s->sh_size;
        s->sh_offset = lie == 3 ? UINT64_MAX - 8 : s->sh_offset;
        s->sh_link = lie == 4 ? 77 : s->sh_link;
        image = open_bytes((const uint8_t *)&file, sizeof(file));
        assert_non_null(image);
        assert_true(image->damaged);
        assert_int_equal(image->symtab.count, 0);
        inq_image_close(image);
        *s = was;
    }
}

int run_image_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_c_library), cmocka_unit_test(without_section_headers),
        cmocka_unit_test(not_elf),       cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(mutants),       cmocka_unit_test(lies_in_the_symbol_table),
    };

    return cmocka_run_group_tests_name("image", tests, set_up, tear_down);
}
