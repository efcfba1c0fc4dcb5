// SPDX-License-Identifier: Apache-2.0
// Dies six functions deep, most of them inlined: tests/names/run.py.
#include <cstdio>

#define ALWAYS inline __attribute__((always_inline))
#define NEVER __attribute__((noinline))

namespace ns {
struct Box {
    const int *numbers;
    ALWAYS int get(int i) const { return numbers[i]; }
};

static ALWAYS int sum(const Box &box, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++)
        total += box.get(i);
    return total;
}

namespace {
NEVER int hidden(const Box &box, int count)
{
    return sum(box, count) + 1;
}
}

template <class T>
NEVER int outer(T thing, int count)
{
    auto call = [&](int n) __attribute__((always_inline)) { return hidden(thing, n) + 3; };
    return call(count) * 2;
}
}

int main(int argc, char **)
{
    ns::Box box{argc > 9 ? &argc : nullptr};
    std::printf("%d\n", ns::outer(box, argc + 4));
    return 0;
}
