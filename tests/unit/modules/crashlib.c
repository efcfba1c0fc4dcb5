/* SPDX-License-Identifier: Apache-2.0 */
/* The library that modules-crasher dies in. */
#define EXPORTED __attribute__((visibility("default")))

extern EXPORTED int crash_depth;
int crash_depth;

EXPORTED void crash_here(int *where);
void crash_here(int *where)
{
    crash_depth++;
    *where = crash_depth;
}
