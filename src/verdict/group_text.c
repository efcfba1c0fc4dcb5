/* SPDX-License-Identifier: Apache-2.0 */
#include "group_text.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define MESSAGE_BYTES 160u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_hex(char c)
{
    return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

/* ---------------------------------------------------------------------------------- modules */

/* Cuts `suffix` off when it is there. */
static void cut_suffix(char *name, const char *suffix)
{
    if (inq_ends_with(name, suffix))
        name[strlen(name) - strlen(suffix)] = '\0';
}

/* ".so" and what follows: ".so.6.0.1" (a version) or nothing. */
static void cut_so(char *name)
{
    for (char *so = strstr(name, ".so"); so; so = strstr(so + 1, ".so")) {
        if (so == name || (so[3] != '\0' && so[3] != '.'))
            continue;
        if (strspn(so + 3, ".0123456789") == strlen(so + 3)) {
            *so = '\0';
            return;
        }
    }
}

/* "_foo.cpython-311-x86_64-linux-gnu", "_foo.abi3": extension modules of Python. */
static void cut_python_tag(char *name)
{
    char *tag = strstr(name, ".cpython-");
    if (!tag)
        tag = strstr(name, ".abi3");
    if (tag && tag != name)
        *tag = '\0';
}

/* "-1accf1ee" (auditwheel: eight digits of a hash, at times with "-r" or more behind it). */
static void cut_wheel_hash(char *name)
{
    for (char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-')) {
        size_t digits = 0;
        while (is_lower_hex(dash[1 + digits]))
            digits++;
        if (dash == name || digits != 8 || (dash[9] != '\0' && dash[9] != '.' && dash[9] != '-'))
            continue;
        memmove(dash, dash + 9, strlen(dash + 9) + 1);
        dash--;
        if (dash < name)
            return;
    }
}

/* "libc-2.31" → "libc", but "libicu-le" and "liblber-2" stay what they are: a dot must be in it. */
static void cut_release(char *name)
{
    char *dash = strrchr(name, '-');
    if (!dash || dash == name || !is_digit(dash[1]) || !strchr(dash, '.'))
        return;
    if (strspn(dash + 1, "0123456789.") == strlen(dash + 1))
        *dash = '\0';
}

char *inq_group_module_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    char *copy = strdup(slash && slash[1] ? slash + 1 : name);
    if (!copy)
        return NULL;
    cut_suffix(copy, " (deleted)");
    cut_so(copy);
    cut_python_tag(copy);
    cut_wheel_hash(copy);
    cut_release(copy);
    if (inq_starts_with(copy, "ld-linux") || inq_starts_with(copy, "ld-musl"))
        copy[2] = '\0';
    return copy;
}

/* -------------------------------------------------------------------------------- functions */

/* What gcc and clang append to a clone of a function, each with a number or nothing behind it. */
static void cut_clones(char *name)
{
    static const char *const clones[] = {".cold", ".part",     ".constprop",
                                         ".isra", ".lto_priv", ".llvm"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(clones); i++) {
        char *at = strstr(name, clones[i]);
        if (at && at != name) {
            char after = at[strlen(clones[i])];
            if (after == '\0' || after == '.')
                *at = '\0';
        }
    }
}

static void cut_rust_hash(char *name)
{
    size_t size = strlen(name);
    if (size <= 19 || strncmp(name + size - 19, "::h", 3) != 0)
        return;
    for (size_t i = size - 16; i < size; i++)
        if (!is_lower_hex(name[i]))
            return;
    name[size - 19] = '\0';
}

char *inq_group_function_name(const char *name)
{
    char *copy = strdup(inq_starts_with(name, "__GI_") && name[5] ? name + 5 : name);
    if (!copy)
        return NULL;
    char *at = strchr(copy, '@');
    if (at && at != copy)
        *at = '\0';
    cut_clones(copy);
    cut_rust_hash(copy);
    return copy;
}

/* --------------------------------------------------------------------------------- messages */

static size_t number_size(const char *at, bool *ret_hex)
{
    size_t size = 0;
    *ret_hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && is_hex(at[2]);
    if (*ret_hex) {
        for (size = 2; is_hex(at[size]);)
            size++;
        return size;
    }
    while (is_digit(at[size]))
        size++;
    return size;
}

char *inq_group_message(const char *message)
{
    struct inq_text out = {0};
    inq_text_append(&out, "");
    for (const char *at = message; *at && out.size < MESSAGE_BYTES;) {
        bool hex = false;
        size_t size = number_size(at, &hex);
        if (size > 0) {
            inq_text_append(&out, hex ? "ADDR" : "N");
            at += size;
            continue;
        }
        /* A whole UTF-8 character: the text must stay valid where it is cut. */
        size = 1;
        while (((unsigned char)at[size] & 0xc0) == 0x80)
            size++;
        if ((unsigned char)*at < 0x20)
            inq_text_append(&out, " ");
        else
            inq_text_append_bytes(&out, at, size);
        at += size;
    }
    while (out.size > 0 && !out.failed && out.bytes[out.size - 1] == ' ')
        out.bytes[--out.size] = '\0';
    if (out.failed)
        inq_text_deinit(&out);
    return out.bytes;
}
