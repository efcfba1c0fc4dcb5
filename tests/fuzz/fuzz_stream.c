/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Dumps that go by once. The first byte says how the rest gets there: 0 through a pipe, 1 as a
 * compressed file, 2 compressed here and through a pipe, 3 the same as a file, 4 compressed here in
 * small frames; 8 more: the compressed bytes are cut at a place that the second byte says.
 */

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "analysis.h"
#include "fuzz.h"
#include "pipeline.h"

#define FRAME_BYTES 4000u

/* Frames of at most `step` bytes each, one behind the other. */
static uint8_t *compress(const uint8_t *bytes, size_t size, size_t step, size_t *ret_size)
{
    size_t frames = size / step + 1, room = frames * ZSTD_compressBound(step), done = 0;
    uint8_t *packed = malloc(room);

    FUZZ_CHECK(packed, "memory");
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        size_t n = ZSTD_compress(packed + done, room - done, bytes + at, part, 1);

        FUZZ_CHECK(!ZSTD_isError(n), ZSTD_getErrorName(n));
        done += n;
    }
    *ret_size = done;
    return packed;
}

static int open_input(uint8_t how, uint8_t cut, const uint8_t *bytes, size_t size)
{
    uint8_t *packed = NULL;
    size_t packed_size = size;

    if ((how & 7) >= 2 && size > 0)
        packed = compress(bytes, size, (how & 7) == 4 ? FRAME_BYTES : size, &packed_size);
    if (how & 8)
        packed_size = packed_size * cut / 256;
    const uint8_t *what = packed ? packed : bytes;
    int fd = (how & 7) == 1 || (how & 7) == 3 ? fuzz_memfd(what, packed_size)
                                              : fuzz_pipe(what, packed_size);
    free(packed);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inq_evidence *evidence = NULL;
    struct inq_opener opener = inq_opener_none();
    const struct inq_analysis_options options = {0};

    if (size < 2)
        return 0;
    struct inq_error *error = inq_analyze_fd(open_input(data[0], data[1], data + 2, size - 2),
                                             "core.zst", &opener, &options, &evidence);
    if (error) {
        fuzz_check_error(error);
        return 0;
    }
    fuzz_check_document(evidence->document);
    inq_evidence_destroy(evidence);
    return 0;
}
