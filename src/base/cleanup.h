/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_CLEANUP_H
#define INQ_BASE_CLEANUP_H

/* Clean-up by attribute and hand-over of ownership. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void inq_freep(void *p) { free(*(void **)p); }
static inline void inq_closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
static inline void inq_fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
}

#define _cleanup_free_ _cleanup_(inq_freep)
#define _cleanup_close_ _cleanup_(inq_closep)
#define _cleanup_fclose_ _cleanup_(inq_fclosep)

/* The value, leaving NULL (or -1) behind so that the clean-up finds nothing. */
#define TAKE_PTR(p)                   \
    ({                                \
        __typeof__(p) _taken_ = (p);  \
        (p) = NULL;                   \
        _taken_;                      \
    })
#define TAKE_FD(fd)         \
    ({                      \
        int _taken_ = (fd); \
        (fd) = -1;          \
        _taken_;            \
    })

#define INQ_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
