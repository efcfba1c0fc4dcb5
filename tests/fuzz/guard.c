/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files are mapped, and no sanitizer notices a read behind the end of a file inside its last page.
 * Linked with --wrap=mmap and --wrap=munmap, a mapped file becomes a copy on the heap of exactly
 * its size.
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__real_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off);
int __real_munmap(void *addr, size_t size);
void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *addr, size_t size);

#define MAX_COPIES 8192u

static void *copies[MAX_COPIES];
static size_t n_copies; /* slots that were ever used */

void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t off)
{
    size_t slot = 0;

    while (slot < n_copies && copies[slot])
        slot++;
    if (fd < 0 || slot == MAX_COPIES)
        return __real_mmap(addr, size, prot, flags, fd, off);
    char *copy = malloc(size);
    if (!copy)
        return MAP_FAILED;
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, copy + done, size - done, off + (off_t)done);

        if (n <= 0) {
            free(copy);
            return MAP_FAILED;
        }
        done += (size_t)n;
    }
    copies[slot] = copy;
    n_copies += slot == n_copies;
    return copy;
}

int __wrap_munmap(void *addr, size_t size)
{
    for (size_t i = 0; i < n_copies; i++)
        if (copies[i] == addr) {
            copies[i] = NULL;
            free(addr);
            return 0;
        }
    return __real_munmap(addr, size);
}
