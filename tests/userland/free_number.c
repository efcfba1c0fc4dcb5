/* SPDX-License-Identifier: Apache-2.0 */
/* free_number 0x7: gives free() that number, in a process that has not used the heap yet. */
#include <stdint.h>
#include <stdlib.h>

__attribute__((noinline)) static void drop(void *p)
{
    free(p);
    __asm__ volatile("");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    drop((void *)(uintptr_t)strtoull(argv[1], NULL, 0));
    return 0;
}
