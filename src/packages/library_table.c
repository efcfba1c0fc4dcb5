/* SPDX-License-Identifier: Apache-2.0 */
#include "library_table.h"

#include <string.h>

#include "cleanup.h"
#include "text.h"

/* clang-format off */
const struct inq_family_row inq_family_table[] = {
    /*
     * BLAS and LAPACK: the same functions under several brands. What begins with "openblas" may
     * have "scipy_" before it, p or o (pthreads, OpenMP) and a width behind it.
     */
    {"blas", "openblas*|scipy_openblas*|blas|blas64*|cblas|cblas64*|lapack|lapack64*|lapacke|"
             "lapacke64*|flexiblas*|blis|blis-mt|blis64*|mkl_rt|mkl_core|mkl_intel_*|mkl_gf_*|"
             "mkl_intel_lp64|atlas|satlas|tatlas|f77blas|ptf77blas|nvpl_blas_*|armpl*|essl*",
     INQ_ABI_BLAS, false},
    {"openmp", "gomp|iomp5|iomp|omp|omp5", INQ_ABI_OPENMP, true},
    {"allocator", "jemalloc|jemalloc_pic|tcmalloc|tcmalloc_minimal*|tcmalloc_and_profiler|"
                  "mimalloc*|tbbmalloc_proxy|snmalloc*|snmallocshim*|hoard|rpmalloc|"
                  "scudo|supermalloc",
     INQ_ABI_NONE, true},
    {"python", "python[23].[0-9]*|python3|python2", INQ_ABI_DIGITS, true},

    {"libldap", "ldap|ldap_r", INQ_ABI_LDAP, false},
    {"liblber", "lber", INQ_ABI_LDAP, false},
    {"libcrypto", "crypto|boringcrypto", INQ_ABI_OPENSSL, false},
    {"libssl", "ssl|boringssl", INQ_ABI_OPENSSL, false},
    {"libjpeg", "jpeg|turbojpeg|mozjpeg", INQ_ABI_MAJOR, false},
    {"libopenjp2", "openjp2", INQ_ABI_OPENJP2, false},
    {"libpng", "png|png12|png14|png15|png16", INQ_ABI_DIGITS, false},
    {"libcurl", "curl|curl-gnutls|curl-nss", INQ_ABI_MAJOR, false},
    {"libz", "z|z-ng|zlib", INQ_ABI_MAJOR, false},
    {"libhdf5", "hdf5|hdf5_serial|hdf5_openmpi|hdf5_mpich", INQ_ABI_MAJOR, false},
    {"libhdf5_hl", "hdf5_hl|hdf5_serial_hl|hdf5_openmpi_hl", INQ_ABI_MAJOR, false},
    {"libhdf5_cpp", "hdf5_cpp|hdf5_serial_cpp", INQ_ABI_MAJOR, false},
    {"libprotobuf", "protobuf|protobuf-lite", INQ_ABI_MAJOR, false},
    {"libgtk", "gtk-3|gtk-4|gtk-x11-2.0", INQ_ABI_DIGITS, true},
    {"libLLVM", "LLVM|LLVM-*", INQ_ABI_DIGITS, false},
    {"libclang", "clang|clang-*", INQ_ABI_DIGITS, false},
    {"libQtCore", "Qt5Core|Qt6Core|QtCore", INQ_ABI_DIGITS, true},
    {"libtbb", "tbb|tbb12", INQ_ABI_MAJOR, false},
    {"libgsl", "gsl", INQ_ABI_MAJOR, false},
    {"libgeos", "geos", INQ_ABI_FULL, false},
    {"libmpi", "mpi|mpi_cxx|mpich", INQ_ABI_MAJOR, true},
    {"libnuma", "numa", INQ_ABI_MAJOR, false},

    /* Under their own names. */
    {NULL, "stdc++|gcc_s|c++|c++abi|gfortran|quadmath|unwind|atomic|ifcore|ifcoremt|imf|svml|irc|"
           "intlc|tbbmalloc", INQ_ABI_MAJOR, false},
    {NULL, "tiff|webp|webpdemux|webpmux|sharpyuv|gif|lcms2|freetype|harfbuzz|fontconfig|avif|heif|"
           "aom|dav1d|de265|x265|jxl|raqm|fribidi|imagequant|xcb|Xau|Xdmcp|X11|cairo|pixman-1|"
           "rsvg-2",
     INQ_ABI_MAJOR, false},
    {NULL, "geos_c|proj|gdal|spatialite|geotiff|Lerc|netcdf|kea|cfitsio|tiledb|eccodes|eckit|grib",
     INQ_ABI_MAJOR, false},
    {NULL, "aec|sz|blosc|blosc2|zstd|lz4|lzma|bz2|brotlicommon|brotlidec|brotlienc|snappy|deflate|"
           "archive|minizip|minizip-ng", INQ_ABI_MAJOR, false},
    {NULL, "nghttp2|nghttp3|ssh|ssh2|psl|idn|idn2|unistring|gnutls|nettle|hogweed|gcrypt|"
           "gpg-error|tasn1|p11-kit|sodium|cares|uv|event*|ev|zmq|rdkafka|rabbitmq",
     INQ_ABI_MAJOR, false},
    {NULL, "krb5|k5crypto|krb5support|gssapi_krb5|com_err|keyutils|sasl2|selinux|cap|audit|crypt",
     INQ_ABI_MAJOR, false},
    {NULL, "sqlite3|pq|mysqlclient|mariadb|db-*|gdbm|lmdb|leveldb|rocksdb|duckdb",
     INQ_ABI_MAJOR, false},
    {NULL, "xml2|xslt|exslt|expat|yaml|json-c|jansson|pcre|pcreposix|pcre2-8|pcre2-16|pcre2-32|ffi|"
           "onig|re2|iconv|charset|intl|icu*|glib-2.0|gobject-2.0|gio-2.0|gmodule-2.0|gthread-2.0",
     INQ_ABI_MAJOR, false},
    {NULL, "absl_*|arrow|arrow_*|parquet|grpc|grpc++|gpr|thrift*|orc|flatbuffers|utf8proc|fmt|"
           "spdlog|glog|gflags|boost_*", INQ_ABI_MAJOR, false},
    {NULL, "torch|torch_cpu|torch_cuda|torch_python|c10|c10_cuda|tensorflow_framework|"
           "tensorflow_cc|onnxruntime|openvino", INQ_ABI_MAJOR, false},
    {NULL, "cudart|cublas|cublasLt|cudnn*|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvToolsExt|"
           "nvinfer", INQ_ABI_MAJOR, false},
    {NULL, "fftw3*|gmp|mpfr|mpc|flint|arb|suitesparse*|cholmod|umfpack|metis|scotch|arpack|"
           "sundials*|petsc|slepc", INQ_ABI_MAJOR, false},
    {NULL, "avcodec|avformat|avutil|avfilter|avdevice|swscale|swresample|x264|vpx|opus|ogg|vorbis|"
           "FLAC|sndfile|mp3lame|portaudio|opencv_*", INQ_ABI_MAJOR, false},
    {NULL, "readline|ncurses|ncursesw|tinfo|tinfow|edit|tcl8.*|tk8.*|magic|uuid|blkid|udev|usb-1.0|"
           "dbus-1|systemd|elf|dw|bfd*|unwind-*|jvm|gc|lua5*|ruby*|perl", INQ_ABI_MAJOR, false},
    {NULL, "c|m|pthread|dl|rt|resolv|nsl|nsl2|util|anl|thread_db|BrokenLocale", INQ_ABI_MAJOR,
     false},
};
/* clang-format on */

const size_t inq_family_table_count = INQ_ARRAY_SIZE(inq_family_table);

const char inq_numbered_names[] =
    "python*|LLVM*|clang*|png*|icu*|ffi*|db-*|boost_*|*-1.0|*-2.0|*-3.0|*-4.0|*-4.1|*-6.0|gtk-*|"
    "gdk-*|pcre2-*|dbus-1|apr-1|aprutil-1|nl-*|SDL*|soup-*|tcl8.*|tk8.*|lua5*|lua-5*|pixman-1|"
    "rsvg-2|usb-*|nsl2|cairo-*|poppler-*|serf-1|ruby-*|sigc-2.0|nettle-*|MagickCore-*|"
    "MagickWand-*|tbb12|atkmm-*|asound-*|event-*|event_*-*|mpi4py*|javascriptcoregtk-*|"
    "webkit2gtk-*|gweather-*|wx_*|uv1";

bool inq_match_any(const char *globs, const char *text)
{
    char glob[128];

    while (*globs) {
        size_t size = (size_t)(strchrnul(globs, '|') - globs);
        bool differs = *globs != text[0] && !strchr("*?[\\|", *globs); /* most do, at once */

        if (!differs && size < sizeof(glob)) {
            memcpy(glob, globs, size);
            glob[size] = '\0';
            if (inq_glob_match(glob, text))
                return true;
        }
        globs += size;
        if (*globs == '|')
            globs++;
    }
    return false;
}

const struct inq_family_row *inq_family_row(const char *stem)
{
    for (size_t i = 0; i < inq_family_table_count; i++)
        if (inq_match_any(inq_family_table[i].names, stem))
            return &inq_family_table[i];
    return NULL;
}
