/* SPDX-License-Identifier: Apache-2.0 */
#include "packages_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "library_name.h"

enum { MANGLED = 1, EXTENSION = 2, SINGLE = 4, UNKNOWN = 8 };

/* File names as wheels, distributions, conda and Intel ship them. */
static const struct {
    const char *name, *family, *abi, *version;
    int flags;
} names[] = {
    /* wheels */
    {"libldap-1accf1ee.so.2.0.200", "libldap", "2.6", "2.0.200", MANGLED},
    {"libldap-e27fd66d.so.2.0.200", "libldap", "2.6", "2.0.200", MANGLED},
    {"libldap-2-cea2a960.4.so.2.10.9", "libldap", "2.4", "2.10.9", MANGLED},
    {"liblber-2-d20824ef.4.so.2.10.9", "liblber", "2.4", "2.10.9", MANGLED},
    {"liblber-58fa78db.so.2.0.200", "liblber", "2.6", "2.0.200", MANGLED},
    {"libopenjp2-94e588ba.so.2.5.4", "libopenjp2", "7", "2.5.4", MANGLED},
    {"libopenjp2-rasterio-a166e295.so.2.4.0", "libopenjp2", "7", "2.4.0", MANGLED},
    {"libopenjp2.so.7", "libopenjp2", "7", "7", 0},
    {"pyogrio.libs/libgeos_c-pyogrio-ac38a227.so.1.20.5", "libgeos_c", "1", "1.20.5", MANGLED},
    {"fresh.libs/libz-fresh-01234567.so.1.3", "libz", "1", "1.3", MANGLED},
    /* what follows the dash is not always a packager */
    {"av.libs/libxcb-5ddf6756.so.1.1.0", "libxcb", "1", "1.1.0", MANGLED},
    {"av.libs/libxcb-shm-0be6dfbf.so.0.0.0", "libxcb-shm", "0", "0.0.0", MANGLED | UNKNOWN},
    {"libharfbuzz-subset-0692f733.so.0", "libharfbuzz-subset", "0", "0", MANGLED | UNKNOWN},
    {"libQt5QuickTemplates2.so.5", "libQtQuickTemplates2", "5", "5", UNKNOWN},
    {"libQt6QuickTemplates2.so.6", "libQtQuickTemplates2", "6", "6", UNKNOWN},
    {"libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran", "5", "5.0.0", MANGLED},
    {"libgfortran-8f1e9814.so.5.0.0", "libgfortran", "5", "5.0.0", MANGLED},
    {"libquadmath-96973f99-934c22de.so.0.0.0", "libquadmath", "0", "0.0.0", MANGLED},
    {"libscipy_openblas64_-fdde5778.so", "blas", "ilp64", "", MANGLED},
    {"libscipy_openblas-6cdc3b4a.so", "blas", "lp64", "", MANGLED},
    {"libopenblasp-r0-41284840.3.18.so", "blas", "lp64", "0.3.18", MANGLED},
    {"libopenblas64_p-r0-0cf96a72.3.23.dev.so", "blas", "ilp64", "", MANGLED},
    {"libcrypto-bfee2032.so.1.1.1k", "libcrypto", "1.1", "1.1.1k", MANGLED},
    {"libcrypto-5d63cd29.so.3", "libcrypto", "3", "3", MANGLED},
    {"libcrypto-rasterio-69692946.so.1.1", "libcrypto", "1.1", "1.1", MANGLED},
    {"libssl-658e53cd.so.1.1.1k", "libssl", "1.1", "1.1.1k", MANGLED},
    {"libcurl-rasterio-1d984654.so.4.8.0", "libcurl", "4", "4.8.0", MANGLED},
    {"libgeos_c-rasterio-167ab3e5.so.1.17.1", "libgeos_c", "1", "1.17.1", MANGLED},
    {"libgeos-rasterio-8da2fcfa.so.3.11.1", "libgeos", "3.11.1", "3.11.1", MANGLED},
    {"libLerc-rasterio-47e5a5fc.so.4", "libLerc", "4", "4", MANGLED},
    {"libjson-c-rasterio-94fd386a.so.5.1.0", "libjson-c", "5", "5.1.0", MANGLED},
    {"libhdf5_hl-rasterio-cfd10301.so.200.0.1", "libhdf5_hl", "200", "200.0.1", MANGLED},
    {"libhdf5-34cf00cd.so.320.2.0", "libhdf5", "320", "320.2.0", MANGLED},
    {"libjpeg-rasterio-320f4797.so.9.6.0", "libjpeg", "9", "9.6.0", MANGLED},
    {"libjpeg-18a3f47f.so.62.4.0", "libjpeg", "62", "62.4.0", MANGLED},
    {"libpng16-rasterio-8ebcc106.so.16.35.0", "libpng", "16", "16.35.0", MANGLED},
    {"libpng16-4a38ea05.so.16.53.0", "libpng", "16", "16.53.0", MANGLED},
    {"libpcre2-8-516f4c9d.so.0.7.1", "libpcre2-8", "0", "0.7.1", MANGLED},
    {"libpcre-rasterio-9513aab5.so.1.2.0", "libpcre", "1", "1.2.0", MANGLED},
    {"libtiledb-13048955.so.2.29", "libtiledb", "2", "2.29", MANGLED},
    {"libharfbuzz-0692f733.so.0.61230.0", "libharfbuzz", "0", "0.61230.0", MANGLED},
    {"libgssapi_krb5-323bbd21.so.2.2", "libgssapi_krb5", "2", "2.2", MANGLED},
    {"libgomp-a34b3233.so.1.0.0", "openmp", "gomp", "1.0.0", MANGLED | SINGLE},
    {"libgeos--no-undefined-b94097bf.so", "libgeos--no-undefined", "", "", MANGLED | UNKNOWN},
    {"libgeos-3-d11e0c4a.6.2.so", "libgeos", "3.6.2", "3.6.2", MANGLED},
    {"libproj-1eb8c554.so.25.9.5.1", "libproj", "25", "25.9.5.1", MANGLED},
    {"libz-eb09ad1d.so.1.2.3", "libz", "1", "1.2.3", MANGLED},
    {"libprotobuf-lite-5ae86f38.so.9.0.1", "libprotobuf", "9", "9.0.1", MANGLED},
    {"libomp-5bd0a3bf.so", "openmp", "kmpc", "", MANGLED | SINGLE},
    {"libiomp5-9e0ad2b1.so", "openmp", "kmpc", "", MANGLED | SINGLE},
    {"libjemalloc-4e1a2c7d.so.2", "allocator", "", "2", MANGLED | SINGLE},
    /* plain names in wheels */
    {"libeckit.so", "libeckit", "", "", 0},
    {"libeckit_geo.so", "libeckit_geo", "", "", UNKNOWN},
    {"libeccodes_memfs.so", "libeccodes_memfs", "", "", UNKNOWN},
    {"libaec.so.0.1.3", "libaec", "0", "0.1.3", 0},
    {"libifcoremt.so.5", "libifcoremt", "5", "5", 0},
    {"libtorch_cpu.so", "libtorch_cpu", "", "", 0},
    {"libc10.so", "libc10", "", "", 0},
    {"libarrow.so.2100", "libarrow", "2100", "2100", 0},
    {"libtensorflow_framework.so.2", "libtensorflow_framework", "2", "2", 0},
    {"libcudart.so.12", "libcudart", "12", "12", 0},
    {"libcublasLt.so.12", "libcublasLt", "12", "12", 0},
    {"libmkl_rt.so.2", "blas", "", "2", 0},
    {"libmkl_intel_ilp64.so.2", "blas", "ilp64", "2", 0},
    {"libmkl_intel_lp64.so", "blas", "lp64", "", 0},
    /* conda */
    {"libopenblasp-r0.3.30.so", "blas", "lp64", "0.3.30", 0},
    {"libblas.so.3", "blas", "lp64", "3", 0},
    {"libcblas.so.3.9.0", "blas", "lp64", "3.9.0", 0},
    {"liblapacke.so.3", "blas", "lp64", "3", 0},
    {"libiomp5.so", "openmp", "kmpc", "", SINGLE},
    {"libabsl_base.so.2401.0.0", "libabsl_base", "2401", "2401.0.0", 0},
    {"libicudata.so.75.1", "libicudata", "75", "75.1", 0},
    {"libpython3.12.so.1.0", "python", "3.12", "1.0", SINGLE},
    {"libz-ng.so.2", "libz", "2", "2", 0},
    {"libtbbmalloc_proxy.so.2", "allocator", "", "2", SINGLE},
    {"libflexiblas.so.3", "blas", "", "3", 0},
    {"libblis.so.4", "blas", "lp64", "4", 0},
    /* Debian, Ubuntu, Fedora, Red Hat */
    {"libc.so.6", "libc", "6", "6", 0},
    {"libc-2.31.so", "libc", "2", "2.31", 0},
    {"libpthread-2.17.so", "libpthread", "2", "2.17", 0},
    {"ld-2.31.so", "ld", "", "", 0},
    {"ld-linux-x86-64.so.2", "ld", "", "2", 0},
    {"ld-musl-x86_64.so.1", "ld", "", "1", 0},
    {"libm.so.6", "libm", "6", "6", 0},
    {"libldap-2.4.so.2.10.9", "libldap", "2.4", "2.10.9", 0},
    {"libldap_r-2.4.so.2.11.5", "libldap", "2.4", "2.11.5", 0},
    {"libldap-2.5.so.0.1.13", "libldap", "2.5", "0.1.13", 0},
    {"libldap.so.2", "libldap", "2.6", "2", 0},
    {"liblber-2.5.so.0", "liblber", "2.5", "0", 0},
    {"libssl.so.10", "libssl", "1.0", "10", 0},
    {"libcrypto.so.1.0.2k", "libcrypto", "1.0", "1.0.2k", 0},
    {"libcrypto.so.3", "libcrypto", "3", "3", 0},
    {"libopenblas64.so.0", "blas", "ilp64", "0", 0},
    {"libopenblasp.so.0", "blas", "lp64", "0", 0},
    {"libopenblas64_.so.0", "blas", "ilp64", "0", 0},
    {"libopenblaso-r0.3.21.so", "blas", "lp64", "0.3.21", 0},
    {"libblas64.so.3", "blas", "ilp64", "3", 0},
    {"libtatlas.so.3", "blas", "lp64", "3", 0},
    {"libglib-2.0.so.0.7400.6", "libglib-2.0", "0", "0.7400.6", 0},
    {"libgtk-3.so.0", "libgtk", "3", "0", SINGLE},
    {"libgtk-x11-2.0.so.0", "libgtk", "2.0", "0", SINGLE},
    {"libpcre2-8.so.0.11.2", "libpcre2-8", "0", "0.11.2", 0},
    {"libdb-5.3.so", "libdb-5.3", "", "", 0},
    {"libLLVM-15.so.1", "libLLVM", "15", "1", 0},
    {"libLLVM.so.17.0", "libLLVM", "17", "17.0", 0},
    {"libclang-14.so.14.0.6", "libclang", "14", "14.0.6", 0},
    {"libpng16.so.16.39.0", "libpng", "16", "16.39.0", 0},
    {"libjpeg.so.8", "libjpeg", "8", "8", 0},
    {"libturbojpeg.so.0.2.0", "libjpeg", "0", "0.2.0", 0},
    {"libcurl-gnutls.so.4.8.0", "libcurl", "4", "4.8.0", 0},
    {"libhdf5_serial.so.103.3.0", "libhdf5", "103", "103.3.0", 0},
    {"libicui18n.so.72.1", "libicui18n", "72", "72.1", 0},
    {"libboost_iostreams.so.1.74.0", "libboost_iostreams", "1", "1.74.0", 0},
    {"libboost_python311.so.1.81.0", "libboost_python311", "1", "1.81.0", 0},
    {"libstdc++.so.6.0.30", "libstdc++", "6", "6.0.30", 0},
    {"libgcc_s.so.1", "libgcc_s", "1", "1", 0},
    {"libc++abi.so.1", "libc++abi", "1", "1", 0},
    {"libpython3.11.so.1.0", "python", "3.11", "1.0", SINGLE},
    {"libpython2.7.so.1.0", "python", "2.7", "1.0", SINGLE},
    {"libtcmalloc_minimal.so.4.5.16", "allocator", "", "4.5.16", SINGLE},
    {"libmimalloc.so.2.0", "allocator", "", "2.0", SINGLE},
    {"libgomp.so.1.0.0", "openmp", "gomp", "1.0.0", SINGLE},
    {"libomp.so.5", "openmp", "kmpc", "5", SINGLE},
    {"libusb-1.0.so.0.3.0", "libusb-1.0", "0", "0.3.0", 0},
    {"libabsl_time.so.20220623.0.0", "libabsl_time", "20220623", "20220623.0.0", 0},
    {"libffi.so.8.1.2", "libffi", "8", "8.1.2", 0},
    {"libnsl2.so.1", "libnsl2", "1", "1", 0},
    {"libQt5Core.so.5.15.8", "libQtCore", "5", "5.15.8", SINGLE},
    {"libpq.so.5.17", "libpq", "5", "5.17", 0},
    {"libX11.so.6.4.0", "libX11", "6", "6.4.0", 0},
    {"libtirpc.so.3", "libtirpc", "3", "3", UNKNOWN},
    {"libopcodes-2.40-system.so", "libopcodes-2.40-system", "", "", UNKNOWN},
    {"libnss_files-2.31.so", "libnss_files", "2", "2.31", UNKNOWN},
    {"libz.so.1.2.13 (deleted)", "libz", "1", "1.2.13", 0},
    {"libjvm.so", "libjvm", "", "", 0},
    /* Python's program, extension modules, plug-ins, what is no library */
    {"python3.11", "python", "3.11", "", SINGLE},
    {"python3", "python", "3", "", SINGLE},
    {"python3-config", "", "", "", UNKNOWN},
    {"_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "", "", "", EXTENSION | UNKNOWN},
    {"_rust.abi3.so", "", "", "", EXTENSION | UNKNOWN},
    {"_cffi_backend.pypy39-pp73-x86_64-linux-gnu.so", "", "", "", EXTENSION | UNKNOWN},
    {"libtiledb.cpython-311-x86_64-linux-gnu.so", "", "", "", EXTENSION | UNKNOWN},
    {"pam_unix.so", "", "", "", UNKNOWN},
    {"z.so", "", "", "", UNKNOWN},
    {"bash", "", "", "", UNKNOWN},
    {"lib.so", "", "", "", UNKNOWN},
    {"", "", "", "", UNKNOWN},
    {"notes.so.txt", "", "", "", UNKNOWN},
};

static void test_real_names(void **state)
{
    (void)state;
    assert_true(INQ_ARRAY_SIZE(names) >= 100);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        struct inq_library library;
        char path[256];

        snprintf(path, sizeof(path), "/opt/some.so.where/%s", names[i].name);
        inq_library_name(path, &library);
        if (strcmp(library.family, names[i].family) != 0 ||
            strcmp(library.abi, names[i].abi) != 0 ||
            strcmp(library.version, names[i].version) != 0)
            print_error("%s: %s, abi %s, version %s\n", names[i].name, library.family, library.abi,
                        library.version);
        assert_string_equal(library.family, names[i].family);
        assert_string_equal(library.abi, names[i].abi);
        assert_string_equal(library.version, names[i].version);
        if (library.known == !!(names[i].flags & UNKNOWN))
            fail_msg("%s: known is %d", names[i].name, library.known);
        assert_int_equal(library.mangled, !!(names[i].flags & MANGLED));
        assert_int_equal(library.extension, !!(names[i].flags & EXTENSION));
        assert_int_equal(library.single, !!(names[i].flags & SINGLE));
    }
}

static void test_same(void **state)
{
    struct inq_library a, b;

    (void)state;
    inq_library_name("/a/libopenjp2-rasterio-a166e295.so.2.4.0", &a);
    inq_library_name("/b/libopenjp2.so.7", &b);
    assert_true(inq_library_same(&a, &b));
    inq_library_name("/b/libopenjpip.so.7", &b);
    assert_false(inq_library_same(&a, &b));
    inq_library_name("/a/x.abi3.so", &a);
    inq_library_name("/b/y.abi3.so", &b);
    assert_false(inq_library_same(&a, &b));
}

/* No name is too long or too odd: nothing is written outside, nothing takes long. */
static void test_hostile_names(void **state)
{
    static const char *const odd[] = {"lib-",           "lib-.so",          "lib.-0.so.1",
                                      "-00000000.so",   "lib-00000000.so",  "lib--.so.1.",
                                      "lib.so.so.so.9", "lib-r.so",         "lib-r0.so",
                                      "lib.....3.so",   "lib-1.2.3.4.5.so", "libx-1..2.so",
                                      "lib\xff\xfe.so", "lib \x1b[31m.so.1"};
    struct inq_library library;
    char *big = malloc(1 << 20);

    (void)state;
    assert_non_null(big);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(odd); i++)
        inq_library_name(odd[i], &library);
    memset(big, '-', (1 << 20) - 1);
    big[(1 << 20) - 1] = '\0';
    inq_library_name(big, &library);
    assert_string_equal(library.family, "");
    for (size_t n = 90; n < 260; n++) {
        char name[300];

        memset(name, 'x', n);
        memcpy(name, "lib", 3);
        memcpy(name + n, ".so.1", 6);
        inq_library_name(name, &library);
        assert_true(strlen(library.family) < INQ_LIBRARY_TEXT);
    }
    free(big);
}

int run_name_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_names),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_hostile_names),
    };

    return cmocka_run_group_tests_name("library names", tests, NULL, NULL);
}
