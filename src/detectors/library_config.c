/* SPDX-License-Identifier: Apache-2.0 */
#include "library_config.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"

#define MAX_SEARCH (2u << 20) /* of a library's constants */

/* The words that driver/others/openblas_get_config.c puts after the version. */
static const char *const openblas_words[] = {
    "USE64BITINT",   "NO_CBLAS",    "NO_LAPACK",  "NO_LAPACKE", "DYNAMIC_ARCH",
    "DYNAMIC_OLDER", "NO_AFFINITY", "USE_OPENMP", "USE_TLS",
};

static const uint8_t *find(const struct inq_image_section *s, const char *text)
{
    const size_t size = s->size < MAX_SEARCH ? s->size : MAX_SEARCH;

    return memmem(s->bytes, size, text, strlen(text));
}

/*
 * The compiler copies the line in pieces of 16 bytes and keeps its end in the code, so what is
 * found may stop within a word, with other constants behind it: words that OpenBLAS has are taken,
 * and a beginning that only one of them has.
 */
static const char *openblas_word(const char *text, size_t size)
{
    const char *only = NULL;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(openblas_words); i++)
        if (strlen(openblas_words[i]) == size && !memcmp(openblas_words[i], text, size))
            return openblas_words[i];
    for (size_t i = 0; i < INQ_ARRAY_SIZE(openblas_words); i++)
        if (size >= 4 && strlen(openblas_words[i]) > size &&
            !memcmp(openblas_words[i], text, size)) {
            if (only)
                return NULL;
            only = openblas_words[i];
        }
    return only;
}

/* mov $imm32 into the register that holds the number, where the format is loaded into `reg`. */
static bool is_number_load(const uint8_t *code, uint8_t format_register, uint32_t *ret_value)
{
    /* sprintf: rsi, then edx; snprintf: rdx, then ecx; the checking ones: rcx, r8d or r8, r9d */
    const bool extended = format_register == 1 || format_register == 8;
    const uint8_t opcode = format_register == 6   ? 0xba
                           : format_register == 2 ? 0xb9
                           : format_register == 1 ? 0xb8
                                                  : 0xb9;

    if (extended && *code++ != 0x41)
        return false;
    if (*code != opcode)
        return false;
    *ret_value = inq_load_u32(code + 1, false);
    return true;
}

/*
 * x86-64: the function formats " MAX_THREADS=%d" with a number that is a constant beside it:
 * lea format(%rip),%rdx; mov $64,%ecx. The number of the build is nowhere else in the file.
 */
static bool max_threads(const struct inq_image *image, const struct inq_symbol *function,
                        uint64_t format, uint32_t *ret_value)
{
    size_t left;
    const uint8_t *code = inq_image_at(image, function->addr, &left);
    const size_t n = function->size < 1024 ? (size_t)function->size : 1024;

    if (!code || image->machine != EM_X86_64 || n > left)
        return false;
    for (size_t i = 0; i + 7 <= n; i++) {
        /* lea disp32(%rip), reg: 48 or 4c, 8d, mod 00 rm 101 */
        if ((code[i] != 0x48 && code[i] != 0x4c) || code[i + 1] != 0x8d ||
            (code[i + 2] & 0xc7) != 0x05)
            continue;
        const uint32_t disp = inq_load_u32(code + i + 3, false);
        const uint64_t target = function->addr + i + 7 + (uint64_t)(int64_t)(int32_t)disp;
        const uint8_t reg = (uint8_t)(((code[i + 2] >> 3) & 7) + (code[i] == 0x4c ? 8 : 0));

        if (target != format)
            continue;
        for (size_t k = i > 40 ? i - 40 : 0; k < i + 40 && k + 6 <= n; k++)
            if (is_number_load(code + k, reg, ret_value) && *ret_value > 0 && *ret_value <= 65536)
                return true;
    }
    return false;
}

/* "openblas_get_config" with the prefix and suffix of its build. */
static bool find_get_config(const struct inq_image *image, struct inq_symbol *ret_symbol)
{
    for (size_t i = 0; i < image->dynsym.count; i++)
        if (inq_image_symbol(image, &image->dynsym, i, ret_symbol) && ret_symbol->section != 0 &&
            ret_symbol->type == STT_FUNC && strstr(ret_symbol->name, "openblas_get_config"))
            return true;
    return false;
}

static bool openblas_config(const struct inq_image *image, char ret_text[INQ_CONFIG_TEXT])
{
    struct inq_image_section s;
    struct inq_symbol function;
    const uint8_t *at, *format;
    size_t left, used = 0;
    uint32_t threads;

    if (!inq_image_section(image, ".rodata", &s) || !(at = find(&s, "OpenBLAS 0.")))
        return false;
    left = (size_t)(s.bytes + s.size - at);
    const char *text = (const char *)at;
    size_t end = strnlen(text, left < 160 ? left : 160);

    for (size_t i = 0, word = 0; i < end; word++) {
        size_t n = 0;

        while (i < end && text[i] == ' ')
            i++;
        while (i + n < end && text[i + n] > ' ' && text[i + n] <= '~')
            n++;
        if (n == 0)
            break;
        const char *known = word < 2 ? NULL : openblas_word(text + i, n);
        if (word >= 2 && !known)
            break;
        used += (size_t)snprintf(ret_text + used, INQ_CONFIG_TEXT - used, "%s%.*s", word ? " " : "",
                                 known ? (int)strlen(known) : (int)n, known ? known : text + i);
        if (used >= INQ_CONFIG_TEXT - 32)
            break;
        i += n;
    }
    format = find(&s, " MAX_THREADS=%d");
    if (format && s.addr && find_get_config(image, &function) &&
        max_threads(image, &function, s.addr + (uint64_t)(format - s.bytes), &threads))
        snprintf(ret_text + used, INQ_CONFIG_TEXT - used, " MAX_THREADS=%u", threads);
    return true;
}

/* A printable text in the constants that begins so, with a digit behind it. */
static bool release_text(const struct inq_image *image, const char *begins, const char *shown,
                         bool whole, char ret_text[INQ_CONFIG_TEXT])
{
    const size_t skip = strlen(begins);
    struct inq_image_section s;
    const uint8_t *at;
    size_t n;

    if (!inq_image_section(image, ".rodata", &s))
        return false;
    const uint8_t *end = s.bytes + (s.size < MAX_SEARCH ? s.size : MAX_SEARCH);
    for (at = s.bytes; (at = memmem(at, (size_t)(end - at), begins, skip)); at++) {
        const size_t left = (size_t)(end - at);

        if (left <= skip || at[skip] < '0' || at[skip] > '9')
            continue;
        for (n = skip; n < left && n < 64; n++)
            if (whole ? at[n] < ' ' || at[n] > '~' : at[n] <= ' ' || at[n] > '~')
                break;
        if (n == left || n == 64)
            continue;
        snprintf(ret_text, INQ_CONFIG_TEXT, "%s%.*s", shown, (int)(n - skip),
                 (const char *)at + skip);
        return true;
    }
    return false;
}

bool inq_library_config(const struct inq_image *image, const struct inq_library *library,
                        char ret_text[INQ_CONFIG_TEXT])
{
    static const struct {
        const char *family, *begins, *shown;
        bool whole; /* up to the end of the text, not of the word */
    } texts[] = {
        {"libcrypto", "OpenSSL ", "OpenSSL ", true},
        {"libz", " deflate ", "zlib ", false},
    };

    if (!strcmp(library->family, "blas") && strstr(library->stem, "openblas"))
        return openblas_config(image, ret_text);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(texts); i++)
        if (!strcmp(library->family, texts[i].family))
            return release_text(image, texts[i].begins, texts[i].shown, texts[i].whole, ret_text);
    return false;
}
