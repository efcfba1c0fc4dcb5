/* SPDX-License-Identifier: Apache-2.0 */
#include "packages_tests.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "provenance.h"

static const struct {
    const char *path;
    const char *word, *package, *version, *site;
} origins[] = {
    {"/e/lib/python3.11/site-packages/numpy.libs/libscipy_openblas64_-fdde5778.so", "wheel",
     "numpy", "", "/e/lib/python3.11/site-packages"},
    {"/e/lib/python3.11/site-packages/psycopg2/.libs/libldap-2-1bea6a44.4.so.2.10.3", "wheel",
     "psycopg2", "", "/e/lib/python3.11/site-packages"},
    {"/var/task/shapely.libs/libgeos-3ef06f11.so.3.13.1", "wheel", "shapely", "", "/var/task"},
    {"/e/lib/python3.11/site-packages/eckitlib/lib64/libeckit.so", "wheel-plain", "eckitlib", "",
     "/e/lib/python3.11/site-packages"},
    {"/e/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so", "wheel-plain", "torch", "",
     "/e/lib/python3.11/site-packages"},
    {"/usr/lib/python3/dist-packages/numpy/core/_x.cpython-311-x86_64-linux-gnu.so",
     "python-package", "numpy", "", "/usr/lib/python3/dist-packages"},
    {"/e/site-packages/_cffi_backend.cpython-311-x86_64-linux-gnu.so", "python-package", "", "",
     "/e/site-packages"},
    {"/home/a/p/.pixi/envs/default/lib/libopenblasp-r0.3.30.so", "pixi", "", "", ""},
    {"/opt/miniconda3/lib/libz.so.1", "conda", "", "", ""},
    {"/home/a/micromamba/envs/gis/lib/libgdal.so.35", "conda", "", "", ""},
    {"/data/envs/gis/lib/libgdal.so.35", "conda", "", "", ""},
    {"/data/envs/gis.txt", NULL, "", "", ""},
    {"/opt/conda/envs/gis/lib/python3.11/site-packages/scipy.libs/libx-6cdc3b4a.so", "wheel",
     "scipy", "", "/opt/conda/envs/gis/lib/python3.11/site-packages"},
    {"/srv/app/.venv/bin/python3.12", "venv", "", "", ""},
    {"/root/.pyenv/versions/3.11.7/bin/python3.11", "pyenv", "", "", ""},
    {"/home/a/.local/share/uv/python/cpython-3.12/lib/libpython3.12.so.1.0", "uv", "", "", ""},
    {"/nix/store/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.13/lib/libssl.so.3", "nix", "openssl",
     "3.0.13", ""},
    {"/nix/store/short-openssl/lib/libssl.so.3", NULL, "", "", ""},
    {"/gnu/store/0123456789abcdfghijklmnpqrsvwxyz-glibc-2.35/lib/libc.so.6", "guix", "glibc",
     "2.35", ""},
    {"/opt/spack/opt/spack/linux-rhel8-zen2/gcc-12.2.0/"
     "hdf5-1.14.3-abcdefghijklmnopqrstuvwxyz234567/"
     "lib/libhdf5.so.310",
     "spack", "hdf5", "1.14.3", ""},
    {"/cvmfs/soft.example/lib/libhdf5.so", "easybuild", "", "", ""},
    {"/snap/firefox/4173/usr/lib/firefox/libxul.so", "snap", "firefox", "", ""},
    {"/app/lib/libgtk-4.so.1", "flatpak", "", "", ""},
    {"/var/lib/flatpak/app/org.gimp.GIMP/x86_64/stable/abc/files/lib/libgimp.so", "flatpak",
     "org.gimp.GIMP", "", ""},
    {"/tmp/.mount_abcdef/usr/lib/libx.so", "appimage", "", "", ""},
    {"/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", "jdk", "", "", ""},
    {"/opt/jdk-21.0.2/lib/libnio.so", "jdk", "", "", ""},
    {"/opt/intel/oneapi/mkl/2024.0/lib/libmkl_rt.so.2", "intel", "", "", ""},
    {"/usr/local/cuda-12.4/lib64/libcudart.so.12", "cuda", "", "", ""},
    {"/opt/rocm-6.0/lib/libamdhip64.so.6", "rocm", "", "", ""},
    {"/home/linuxbrew/.linuxbrew/lib/libz.so.1", "brew", "", "", ""},
    {"/usr/lib/pressure-vessel/overrides/lib/libz.so.1", "steam", "", "", ""},
    {"/usr/lib/x86_64-linux-gnu/libc.so.6", "system", "", "", ""},
    {"/lib64/ld-linux-x86-64.so.2", "system", "", "", ""},
    {"/usr/lib/x86_64-linux-gnu/libz.so.1.2.13 (deleted)", "system", "", "", ""},
    {"/usr/local/lib/libmine.so", "local", "", "", ""},
    {"/dev/shm/x.so", "memory", "", "", ""},
    {"/memfd:jit (deleted)", "memory", "", "", ""},
    {"/SYSV00000000 (deleted)", "memory", "", "", ""},
    {"/home/a/build/libmine.so", NULL, "", "", ""},
    {"", NULL, "", "", ""},
    {"relative.libs/libx-01234567.so", "wheel", "relative", "", ""},
    {"/x.libs", NULL, "", "", ""},
    {".libs/x.so", NULL, "", "", ""},
    {"/.libs/libx-01234567.so", NULL, "", "", ""},
};

static void check(const char *what, const char *path, const char *want, const char *text,
                  size_t size)
{
    if (strlen(want) != size || (size > 0 && memcmp(want, text, size) != 0))
        fail_msg("%s: %s is '%.*s'", path, what, (int)size, size > 0 ? text : "");
}

static void test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(origins); i++) {
        const char *path = origins[i].path;
        struct inq_origin o = inq_origin_of(path);
        const char *word = inq_provenance_name(o.provenance);

        if ((!word) != (!origins[i].word) || (word && strcmp(word, origins[i].word) != 0))
            fail_msg("%s: from %s", path, word ? word : "nowhere");
        check("package", path, origins[i].package, o.package, o.package_size);
        check("version", path, origins[i].version, o.version, o.version_size);
        check("site", path, origins[i].site, path, inq_site_packages(path));
    }
}

int run_origin_tests(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths)};

    return cmocka_run_group_tests_name("origins", tests, NULL, NULL);
}
