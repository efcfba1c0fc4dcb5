/* SPDX-License-Identifier: Apache-2.0 */
/* Writes past a local array; the compiler's canary notices. */
#include <string.h>

__attribute__((noinline)) static void fill(char *to, size_t bytes)
{
    memset(to, 'A', bytes);
}

__attribute__((noinline)) static int copy_name(size_t bytes)
{
    char name[16];

    fill(name, bytes);
    __asm__ volatile("" : : "r"(name) : "memory");
    return name[0];
}

int main(int argc, char **argv)
{
    (void)argv;
    return copy_name(16 + 16 * (size_t)argc);
}
