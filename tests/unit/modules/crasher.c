/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modules-crasher COPY-OF-THE-LIBRARY FONT
 *
 * Makes the odd mappings that real programs have: namespaces with a libc of their own (dlmopen), a
 * library that is deleted while it is loaded, the program itself mapped whole for reading (as
 * Rust's backtrace does), the dynamic linker's first page once more (as sanitizers leave it), a
 * file that is no ELF. Then dies in its library.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

void crash_here(int *where);

static int find_linker(struct dl_phdr_info *info, size_t size, void *path)
{
    (void)size;
    if (info->dlpi_addr == getauxval(AT_BASE))
        strncpy(path, info->dlpi_name, 255);
    return 0;
}

static void map(const char *path, size_t size)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0 || mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        _exit(2);
    close(fd);
}

int main(int argc, char **argv)
{
    char linker[256] = "";

    if (argc != 3 || !dlmopen(LM_ID_NEWLM, argv[1], RTLD_NOW) || unlink(argv[1]) < 0 ||
        !dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW))
        _exit(1);
    dl_iterate_phdr(find_linker, linker);
    map("/proc/self/exe", 8192);
    map(linker, 4096);
    map(argv[2], 4096);
    crash_here((int *)8);
    return 0;
}
