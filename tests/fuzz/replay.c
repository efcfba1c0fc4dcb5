/* SPDX-License-Identifier: Apache-2.0 */

/*
 * replay TARGET-INPUT...: feeds files, or all files of folders, to a fuzz target without a fuzzer.
 * Files that end in .zst are unpacked before. What the fuzzers found is kept among them.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "io.h"
#include "text.h"

#define MAX_INPUT_BYTES (4u * 1024u * 1024u)

static void feed(const uint8_t *bytes, size_t size)
{
    /* Exactly as large as the input: so that a sanitizer sees what is read behind its end. */
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay_file(const char *path)
{
    static uint8_t packed[MAX_INPUT_BYTES], plain[MAX_INPUT_BYTES];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : inq_read_full(fd, packed, sizeof(packed));

    if (got < 0) {
        perror(path);
        return 1;
    }
    fprintf(stderr, "%s\n", path); /* the last line names the culprit */
    if (!inq_ends_with(path, ".zst")) {
        feed(packed, (size_t)got);
        return 0;
    }
    size_t size = ZSTD_decompress(plain, sizeof(plain), packed, (size_t)got);
    if (ZSTD_isError(size)) {
        fprintf(stderr, "%s: %s\n", path, ZSTD_getErrorName(size));
        return 1;
    }
    feed(plain, size);
    return 0;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay(const char *path, size_t *count)
{
    struct dirent **entries = NULL;
    struct stat st;
    int failures = 0;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        ++*count;
        return replay_file(path);
    }
    int n = scandir(path, &entries, no_dots, alphasort);
    for (int i = 0; i < n; i++) {
        char name[4096];

        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        ++*count;
        failures += replay_file(name);
        free(entries[i]);
    }
    free(entries);
    return failures;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    int failures = 0;

    for (int i = 1; i < argc; i++)
        failures += replay(argv[i], &count);
    printf("%zu inputs, %d not read\n", count, failures);
    return failures || count == 0 ? 1 : 0;
}
