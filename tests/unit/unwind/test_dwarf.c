/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and inlined functions of a real program against addr2line's, and of damaged ones. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dwarf_file.h"
#include "image_tables.h"
#include "unwind_tests.h"

struct program {
    char path[512];
    struct inq_arena *arena;
    struct inq_image *image;
};

static void open_program(struct program *program)
{
    const char *root = getenv("INQ_BUILD_ROOT");
    struct inq_error *error;

    if (!root) {
        print_message("skipped: INQ_BUILD_ROOT is not set\n");
        skip();
    }
    snprintf(program->path, sizeof(program->path), "%s/tests/unit/unwind/unwind-inliner", root);
    program->arena = inq_arena_create();
    assert_non_null(program->arena);
    int fd = open(program->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    error = inq_image_open(fd, program->arena, &program->image);
    assert_null(error);
    close(fd);
}

static void close_program(struct program *program)
{
    inq_image_close(program->image);
    inq_arena_destroy(program->arena);
}

static struct inq_dwarf_budget full_budget(void)
{
    return (struct inq_dwarf_budget){.steps = INQ_DWARF_STEPS,
                                     .unpacked_bytes = INQ_MAX_UNPACKED_SECTIONS,
                                     .line_bytes = INQ_MAX_LINE_PROGRAMS,
                                     .units = INQ_MAX_DWARF_UNITS};
}

/* False when libdw ran out of memory or nothing could be opened. */
static bool read_spots(const struct inq_image *image, struct inq_arena *arena,
                       struct inq_dwarf_budget *budget, struct inq_spot *spots, size_t count)
{
    struct inq_dwarf *dwarf = INQ_ARENA_NEW(arena, struct inq_dwarf);
    jmp_buf no_memory;
    bool done = false;

    assert_non_null(dwarf);
    inq_dwarf_no_memory = &no_memory;
    if (setjmp(no_memory) == 0 && inq_dwarf_open(image, NULL, arena, budget, dwarf))
        done = inq_dwarf_read(dwarf, spots, count, arena);
    inq_dwarf_no_memory = NULL;
    inq_dwarf_close(dwarf);
    return done;
}

/* Every address of a function. */
static struct inq_spot *spots_of(const struct program *program, const char *function,
                                 size_t *ret_count)
{
    struct inq_symbol symbol;

    assert_true(inq_image_find_symbol(program->image, function, &symbol));
    assert_true(symbol.size > 4);
    struct inq_spot *spots = INQ_ARENA_ARRAY(program->arena, (size_t)symbol.size, struct inq_spot);
    assert_non_null(spots);
    for (size_t i = 0; i < symbol.size; i++)
        spots[i].addr = symbol.addr + i;
    *ret_count = (size_t)symbol.size;
    return spots;
}

static const char *base(const char *file)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    return slash ? slash + 1 : file ? file : "??";
}

/*
 * "function file.c:?|function file.c:30|", innermost first: as addr2line -i -f says it. Of several
 * rows at one address it takes another one than gdb, so the first line is compared with gdb's.
 */
static void describe(const struct inq_spot *spot, char *out, size_t size)
{
    const char *file = spot->file;
    uint32_t line = spot->line;
    size_t at = 0;

    for (size_t i = 0; i <= spot->n_inlines && at < size; i++) {
        bool last = i == spot->n_inlines;
        const char *name = last ? spot->function : spot->inlines[i].name;
        at += (size_t)snprintf(out + at, size - at, "%s %s:", name ? name : "??", base(file));
        at += (size_t)(i == 0 ? snprintf(out + at, size - at, "?|")
                              : snprintf(out + at, size - at, "%u|", line));
        if (!last) {
            file = spot->inlines[i].file;
            line = spot->inlines[i].line;
        }
    }
}

/* What a command prints; to be closed. */
static FILE *output_of(const char *command)
{
    FILE *file = tmpfile();
    pid_t pid;
    int status;

    assert_non_null(file);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fileno(file), 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rewind(file);
    return file;
}

/* Reads the answer to one address: pairs of lines up to the next "0x". */
static void read_answer(FILE *pipe, char *out, size_t size, char next[256])
{
    char name[256], place[1024];
    size_t at = 0;

    out[0] = '\0';
    while (fgets(name, sizeof(name), pipe) && strncmp(name, "0x", 2) != 0) {
        if (!fgets(place, sizeof(place), pipe))
            break;
        name[strcspn(name, "\n")] = '\0';
        place[strcspn(place, " \n")] = '\0'; /* " (discriminator 3)" */
        if (at == 0)
            memcpy(place + strcspn(place, ":"), ":?", 3);
        at += (size_t)snprintf(out + at, size - at, "%s %s|", name, base(place));
        assert_true(at < size);
    }
    memcpy(next, name, sizeof(name));
}

static void agrees_with_addr2line(void **state)
{
    static const char *const functions[] = {"measure", "plain", "main"};
    struct program program;
    size_t inlined = 0, compared = 0;

    (void)state;
    if (system("addr2line --version >/dev/null 2>&1") != 0) {
        print_message("skipped: no addr2line\n");
        skip();
    }
    open_program(&program);
    for (size_t f = 0; f < 3; f++) {
        struct inq_dwarf_budget budget = full_budget();
        char command[16384], mine[1024], theirs[1024], next[256];
        size_t count, at;
        struct inq_spot *spots = spots_of(&program, functions[f], &count);

        assert_true(read_spots(program.image, program.arena, &budget, spots, count));
        at = (size_t)snprintf(command, sizeof(command), "addr2line -a -i -f -e '%s'", program.path);
        for (size_t i = 0; i < count && at + 24 < sizeof(command); i++)
            at += (size_t)snprintf(command + at, sizeof(command) - at, " 0x%llx",
                                   (unsigned long long)spots[i].addr);
        FILE *pipe = output_of(command);
                assert_non_null(fgets(next, sizeof(next), pipe));
        for (size_t i = 0; i < count && strncmp(next, "0x", 2) == 0; i++) {
            assert_int_equal(strtoull(next, NULL, 16), spots[i].addr);
            describe(&spots[i], mine, sizeof(mine));
            read_answer(pipe, theirs, sizeof(theirs), next);
            assert_string_equal(mine, theirs);
            inlined += spots[i].n_inlines;
            compared++;
        }
        fclose(pipe);
    }
    assert_true(inlined > 10);
    assert_true(compared > 60);
    close_program(&program);
}

/* 'Line 20 of "inliner.c" starts at address 0x1190 <measure+16> and ends at ...' */
static void lines_agree_with_gdb(void **state)
{
    static const char *const functions[] = {"measure", "plain", "main"};
    struct program program;
    size_t compared = 0;

    (void)state;
    if (system("gdb --version >/dev/null 2>&1") != 0) {
        print_message("skipped: no gdb\n");
        skip();
    }
    open_program(&program);
    for (size_t f = 0; f < 3; f++) {
        struct inq_dwarf_budget budget = full_budget();
        char command[32768], answer[1024];
        size_t count, at;
        struct inq_spot *spots = spots_of(&program, functions[f], &count);

        assert_true(read_spots(program.image, program.arena, &budget, spots, count));
        at = (size_t)snprintf(command, sizeof(command),
                              "gdb -nx -batch -iex 'set auto-load off' -iex 'set debuginfod "
                              "enabled off' -iex 'set width 0' '%s'",
                              program.path);
        for (size_t i = 0; i < count; i++)
            at += (size_t)snprintf(command + at, sizeof(command) - at, " -ex 'info line *0x%llx'",
                                   (unsigned long long)spots[i].addr);
        assert_true(at < sizeof(command));
        FILE *pipe = output_of(command);
                for (size_t i = 0; i < count && fgets(answer, sizeof(answer), pipe);) {
            unsigned int line;
            if (sscanf(answer, "Line %u of ", &line) != 1)
                continue;
            assert_int_equal(spots[i].line, line);
            i++;
            compared++;
        }
        fclose(pipe);
    }
    assert_true(compared > 60);
    close_program(&program);
}

/* The same file always takes the same steps, and with one less it says that it was not finished. */
static void budget_counts_steps(void **state)
{
    struct inq_dwarf_budget budget = full_budget(), again;
    struct program program;
    size_t count;

    (void)state;
    open_program(&program);
    struct inq_spot *spots = spots_of(&program, "measure", &count);
    assert_true(read_spots(program.image, program.arena, &budget, spots, count));
    assert_false(budget.steps_ended);
    uint64_t taken = INQ_DWARF_STEPS - budget.steps;
    assert_in_range(taken, 10, 100000);

    again = full_budget();
    again.steps = taken;
    spots = spots_of(&program, "measure", &count);
    assert_true(read_spots(program.image, program.arena, &again, spots, count));
    assert_false(again.steps_ended);
    assert_int_equal(again.steps, 0);

    again = full_budget();
    again.steps = taken - 1;
    spots = spots_of(&program, "measure", &count);
    read_spots(program.image, program.arena, &again, spots, count);
    assert_true(again.steps_ended);
    close_program(&program);
}

static void large_line_program_is_left_alone(void **state)
{
    struct inq_dwarf_budget budget = full_budget();
    struct program program;
    size_t count;

    (void)state;
    open_program(&program);
    struct inq_spot *spots = spots_of(&program, "measure", &count);
    budget.line_bytes = 20;
    assert_true(read_spots(program.image, program.arena, &budget, spots, count));
    assert_true(budget.lines_ended);
    assert_null(spots[0].file);
    assert_string_equal(spots[0].function, "measure"); /* names do not need it */
    close_program(&program);
}

/* ---- damage --------------------------------------------------------------------------------- */

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static const char *const sections[] = {".debug_info",     ".debug_abbrev", ".debug_line",
                                       ".debug_aranges",  ".debug_str",    ".debug_rnglists",
                                       ".debug_line_str", ".debug_ranges"};

static void damage(const struct inq_image *image, uint8_t *copy, const char *name)
{
    struct inq_image_section section;

    if (!inq_image_section(image, name, &section))
        return;
    size_t off = (size_t)(section.bytes - image->bytes);
    uint64_t flips = 1 + random_number() % 6;
    for (uint64_t i = 0; i < flips; i++) {
        static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
        uint8_t *at = copy + off + random_number() % section.size;
        uint64_t how = random_number() % 8;
        *at = (uint8_t)(how < 5 ? values[how] : *at ^ (1u << (random_number() % 8)));
    }
}

/* Nothing is asserted of what comes out: only that it ends, within its budget and its memory. */
static void damaged_dwarf_ends(void **state)
{
    struct program program;
    size_t count, useful = 0;

    (void)state;
    open_program(&program);
    struct inq_spot *spots = spots_of(&program, "measure", &count);
    for (unsigned int round = 0; round < 600; round++) {
        struct inq_dwarf_budget budget = full_budget();
        struct inq_arena *arena = inq_arena_create();
        uint8_t *copy = malloc(program.image->size);
        struct inq_image *image;

        assert_non_null(arena);
        assert_non_null(copy);
        memcpy(copy, program.image->bytes, program.image->size);
        damage(program.image, copy, sections[round % 8]);
        if (round % 5 == 0)
            damage(program.image, copy, sections[random_number() % 8]);
        struct inq_error *error = inq_image_take(copy, program.image->size, arena, &image);
        assert_null(error);
        for (size_t i = 0; i < count; i++)
            spots[i] = (struct inq_spot){.addr = spots[i].addr};
        read_spots(image, arena, &budget, spots, count);
        for (size_t i = 0; i < count; i++) {
            assert_in_range(spots[i].n_inlines, 0, 64);
            if (spots[i].function && strcmp(spots[i].function, "measure") == 0) {
                useful++;
                break;
            }
        }
        inq_image_close(image);
        inq_arena_destroy(arena);
    }
    assert_true(useful > 100); /* the damage is small, and so is what it costs */
    close_program(&program);
}

/* Sections cut short, one after the other, at every length below 200 bytes and some above. */
static void truncated_sections_end(void **state)
{
    struct program program;
    size_t count;

    (void)state;
    open_program(&program);
    struct inq_spot *spots = spots_of(&program, "measure", &count);
    for (size_t s = 0; s < 8; s++) {
        struct inq_image_section section;

        if (!inq_image_section(program.image, sections[s], &section))
            continue;
        for (size_t size = 0; size < section.size; size += size < 200 ? 3 : 97) {
            struct inq_dwarf_budget budget = full_budget();
            struct inq_arena *arena = inq_arena_create();
            uint8_t *copy = malloc(program.image->size);
            struct inq_image *image;

            assert_non_null(arena);
            assert_non_null(copy);
            memcpy(copy, program.image->bytes, program.image->size);
            for (size_t i = 1; i < program.image->n_sections; i++) {
                struct inq_elf_section header = inq_image_section_header(program.image, i);
                if (header.off != (uint64_t)(section.bytes - program.image->bytes))
                    continue;
                uint64_t new_size = size;
                memcpy(copy + (program.image->sections - program.image->bytes) + i * 64 + 32,
                       &new_size, 8);
            }
            struct inq_error *error = inq_image_take(copy, program.image->size, arena, &image);
            assert_null(error);
            for (size_t i = 0; i < count; i++)
                spots[i] = (struct inq_spot){.addr = spots[i].addr};
            read_spots(image, arena, &budget, spots, count);
            inq_image_close(image);
            inq_arena_destroy(arena);
        }
    }
    close_program(&program);
}

const struct CMUnitTest dwarf_tests[] = {
    cmocka_unit_test(agrees_with_addr2line), cmocka_unit_test(lines_agree_with_gdb),
    cmocka_unit_test(budget_counts_steps),   cmocka_unit_test(large_line_program_is_left_alone),
    cmocka_unit_test(damaged_dwarf_ends),    cmocka_unit_test(truncated_sections_end),
};
const size_t n_dwarf_tests = sizeof(dwarf_tests) / sizeof(dwarf_tests[0]);
