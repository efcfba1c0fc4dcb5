/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A program without libc whose crash has inlined functions, mangled names and a tail of callers:
 * make_seeds.py builds it with debug information of several kinds and lets it crash.
 */

namespace shop {
template <typename T> struct basket {
    T *items;
    unsigned long count;
    __attribute__((always_inline)) T &at(unsigned long i) { return items[i]; }
};

__attribute__((always_inline)) inline long price(basket<long> &b, unsigned long i)
{
    return b.at(i) + 1;
}

__attribute__((noinline)) long total(basket<long> &b)
{
    long sum = 0;
    for (unsigned long i = 0; i < b.count; i++)
        sum += price(b, i);
    return sum;
}

__attribute__((noinline)) long visit(basket<long> &b, int depth)
{
    volatile char room[48];
    room[depth] = 1;
    return depth > 0 ? visit(b, depth - 1) + room[depth] : total(b);
}
} // namespace shop

extern "C" void start_cc()
{
    shop::basket<long> b = {nullptr, 3};
    __asm__ volatile("" : "+m"(b));
    shop::visit(b, 6);
    __builtin_trap();
}

__asm__(".globl _start\n.type _start, @function\n_start:\n.cfi_startproc\n.cfi_undefined rip\n"
        "xor %ebp, %ebp\ncall start_cc\nhlt\n.cfi_endproc\n.size _start, . - _start\n");
