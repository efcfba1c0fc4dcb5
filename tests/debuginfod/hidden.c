/* SPDX-License-Identifier: Apache-2.0 */
/* Dies in a function whose name is in its debug file alone. */
#include <stddef.h>

__attribute__((noinline)) static int hidden_step(volatile int *where)
{
    return *where + 1;
}

__attribute__((noinline)) static int hidden_caller(volatile int *where)
{
    return hidden_step(where) * 2;
}

int main(int argc, char **argv)
{
    (void)argv;
    return hidden_caller(argc > 5 ? &argc : NULL);
}
