/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that are inlined into each other, for the tests of lines: nobody runs this. */
#include <stddef.h>

#define ALWAYS static inline __attribute__((always_inline))

struct item {
    int *value;
    struct item *next;
};

ALWAYS int read_value(const struct item *item)
{
    return *item->value;
}

ALWAYS int sum_two(const struct item *item)
{
    int first = read_value(item);
    if (item->next)
        first += read_value(item->next);
    return first;
}

int measure(const struct item *item, int times);
int plain(int a);

__attribute__((noinline)) int measure(const struct item *item, int times)
{
    int sum = 0;
    for (int i = 0; i < times; i++) {
        int factor = i % 3;
        {
            int here = sum_two(item);
            sum += here * factor;
        }
    }
    return sum;
}

__attribute__((noinline)) int plain(int a)
{
    return a * 3 + 1;
}

int main(int argc, char **argv)
{
    struct item item = {.value = argc > 9 ? NULL : &argc};
    (void)argv;
    return measure(&item, argc) + plain(argc);
}
