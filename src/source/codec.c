/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <bzlib.h>
#include <limits.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>

#include "cleanup.h"

/* xz -9 needs 65 MiB; a dictionary of more than that is nobody's core. */
#define LZMA_MEMORY_BYTES (256u << 20)

static unsigned at_most(size_t size)
{
    return size < UINT_MAX ? (unsigned)size : UINT_MAX;
}

/* ---- gzip (RFC 1952) ------------------------------------------------------------------------ */

static void *gzip_create(void)
{
    z_stream *z = calloc(1, sizeof(*z));

    if (z && inflateInit2(z, 16 + MAX_WBITS) != Z_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static bool gzip_restart(void *state)
{
    return inflateReset(state) == Z_OK;
}

static void gzip_step(void *state, struct inq_codec_step *step)
{
    z_stream *z = state;
    const unsigned in = at_most(step->in_size), out = at_most(step->out_size);

    z->next_in = (Bytef *)(uintptr_t)step->in;
    z->avail_in = in;
    z->next_out = step->out;
    z->avail_out = out;
    int result = inflate(z, Z_NO_FLUSH);
    step->in_used = in - z->avail_in;
    step->out_used = out - z->avail_out;
    step->ended = result == Z_STREAM_END;
    step->no_memory = result == Z_MEM_ERROR;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        step->why = z->msg ? z->msg : "damaged gzip data";
}

static void gzip_destroy(void *state)
{
    inflateEnd(state);
    free(state);
}

/* ---- xz ----------------------------------------------------------------------------------------
 */

static bool xz_restart(void *state)
{
    return lzma_stream_decoder(state, LZMA_MEMORY_BYTES, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK;
}

static void *xz_create(void)
{
    lzma_stream *z = calloc(1, sizeof(*z));

    if (z && !xz_restart(z)) {
        free(z);
        return NULL;
    }
    return z;
}

static const char *xz_error(lzma_ret result)
{
    switch (result) {
    case LZMA_MEMLIMIT_ERROR:
        return "an xz dictionary larger than 256 MiB";
    case LZMA_DATA_ERROR:
        return "damaged xz data";
    case LZMA_FORMAT_ERROR:
    case LZMA_OPTIONS_ERROR:
        return "an xz header that makes no sense";
    default:
        return "xz data that cannot be read";
    }
}

static void xz_step(void *state, struct inq_codec_step *step)
{
    lzma_stream *z = state;

    z->next_in = step->in;
    z->avail_in = step->in_size;
    z->next_out = step->out;
    z->avail_out = step->out_size;
    lzma_ret result = lzma_code(z, LZMA_RUN);
    step->in_used = step->in_size - z->avail_in;
    step->out_used = step->out_size - z->avail_out;
    step->ended = result == LZMA_STREAM_END;
    step->no_memory = result == LZMA_MEM_ERROR;
    /* a check that this liblzma does not know only means that nothing is checked */
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR &&
        result != LZMA_UNSUPPORTED_CHECK)
        step->why = xz_error(result);
}

static void xz_destroy(void *state)
{
    lzma_end(state);
    free(state);
}

/* ---- bzip2 -------------------------------------------------------------------------------------
 */

static void *bzip2_create(void)
{
    bz_stream *z = calloc(1, sizeof(*z));

    if (z && BZ2_bzDecompressInit(z, 0, 0) != BZ_OK) {
        free(z);
        return NULL;
    }
    return z;
}

static bool bzip2_restart(void *state)
{
    bz_stream *z = state;

    BZ2_bzDecompressEnd(z);
    *z = (bz_stream){0};
    return BZ2_bzDecompressInit(z, 0, 0) == BZ_OK;
}

static void bzip2_step(void *state, struct inq_codec_step *step)
{
    bz_stream *z = state;
    const unsigned in = at_most(step->in_size), out = at_most(step->out_size);

    z->next_in = (char *)(uintptr_t)step->in;
    z->avail_in = in;
    z->next_out = (char *)step->out;
    z->avail_out = out;
    int result = BZ2_bzDecompress(z);
    step->in_used = in - z->avail_in;
    step->out_used = out - z->avail_out;
    step->ended = result == BZ_STREAM_END;
    step->no_memory = result == BZ_MEM_ERROR;
    if (result != BZ_OK && result != BZ_STREAM_END)
        step->why = "damaged bzip2 data";
}

static void bzip2_destroy(void *state)
{
    BZ2_bzDecompressEnd(state);
    free(state);
}

/* ---- lz4 (the frame format)
 * ---------------------------------------------------------------------- */

static void *lz4_create(void)
{
    LZ4F_dctx *z = NULL;

    return LZ4F_isError(LZ4F_createDecompressionContext(&z, LZ4F_VERSION)) ? NULL : z;
}

static bool lz4_restart(void *state)
{
    LZ4F_resetDecompressionContext(state);
    return true;
}

static void lz4_step(void *state, struct inq_codec_step *step)
{
    size_t in = step->in_size, out = step->out_size;
    size_t left = LZ4F_decompress(state, step->out, &out, step->in, &in, NULL);

    if (LZ4F_isError(left)) {
        step->why = LZ4F_getErrorName(left);
        return;
    }
    step->in_used = in;
    step->out_used = out;
    step->ended = left == 0;
}

static void lz4_destroy(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

/* ---- the table
 * ----------------------------------------------------------------------------------- */

#define MAGIC(bytes) bytes, sizeof(bytes) - 1

const struct inq_codec_ops *inq_codec_ops(enum inq_codec codec)
{
    static const struct inq_codec_ops table[] = {
        [INQ_CODEC_GZIP] = {"gzip", MAGIC("\x1f\x8b"), gzip_create, gzip_restart, gzip_step,
                            gzip_destroy},
        [INQ_CODEC_XZ] = {"xz",
                          MAGIC("\xfd"
                                "7zXZ\0"),
                          xz_create, xz_restart, xz_step, xz_destroy},
        [INQ_CODEC_LZ4] = {"lz4", MAGIC("\x04\x22\x4d\x18"), lz4_create, lz4_restart, lz4_step,
                           lz4_destroy},
        [INQ_CODEC_BZIP2] = {"bzip2", MAGIC("BZh"), bzip2_create, bzip2_restart, bzip2_step,
                             bzip2_destroy},
    };

    return codec < INQ_ARRAY_SIZE(table) && table[codec].name ? &table[codec] : NULL;
}
