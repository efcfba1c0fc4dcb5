/* SPDX-License-Identifier: Apache-2.0 */
#include "packages_tests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "cleanup.h"
#include "distro.h"
#include "owners.h"
#include "requirement.h"
#include "site.h"

static char tree[64];
static struct inq_file_policy policy;
static struct inq_opener opener;
static struct inq_arena *arena;
static struct inq_owners *owners;

/* A file below the tree, with the folders on the way. */
static void put(const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", tree, name);
    for (char *p = path + strlen(tree) + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
            *p = '/';
        }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

#define SITE "env/lib/python3.11/site-packages/"

static void put_dist(const char *name, const char *version, const char *record, const char *needs)
{
    char path[256], text[1024];

    snprintf(path, sizeof(path), SITE "%s-%s.dist-info/RECORD", name, version);
    put(path, record);
    snprintf(path, sizeof(path), SITE "%s-%s.dist-info/METADATA", name, version);
    snprintf(text, sizeof(text),
             "Metadata-Version: 2.4\nName: %s\nVersion: %s\n%s\nThe description\n"
             "Requires-Dist: never\n",
             name, version, needs);
    put(path, text);
    snprintf(path, sizeof(path), SITE "%s-%s.dist-info/INSTALLER", name, version);
    put(path, "pip\n");
}

static int set_up(void **state)
{
    (void)state;
    snprintf(tree, sizeof(tree), "/tmp/inquest-owners-XXXXXX");
    assert_non_null(mkdtemp(tree));
    policy = (struct inq_file_policy){.sysroot = tree};
    opener = inq_opener_direct(&policy);
    arena = inq_arena_create();
    owners = inq_owners_create(&opener, arena);
    assert_non_null(owners);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    inq_owners_destroy(owners);
    inq_arena_destroy(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", tree);
    return system(command);
}

static struct inq_owner owner_of(const char *path)
{
    struct inq_owner owner;

    assert_null(inq_owners_find(owners, path, false, &owner));
    return owner;
}

static void expect(const char *path, const char *kind, const char *package, const char *version,
                   const char *installer)
{
    struct inq_owner o = owner_of(path);
    const char *have[] = {o.kind, o.package, o.version, o.installer};
    const char *want[] = {kind, package, version, installer};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(have); i++)
        if ((!have[i]) != (!want[i]) || (have[i] && strcmp(have[i], want[i]) != 0))
            fail_msg("%s: %s instead of %s", path, have[i] ? have[i] : "nothing",
                     want[i] ? want[i] : "nothing");
}

/* As ecCodes' wheels need each other. */
static void test_wheels(void **state)
{
    struct inq_owner o;

    (void)state;
    put_dist("eckitlib", "2.0", "eckitlib.libs/libldap-cea2a960.so.2,sha256=x,1\n", "");
    put_dist("fckitlib", "0.14", "fckitlib/lib64/libfckit.so,,\n",
             "Requires-Dist: eckitlib==2.0\n");
    put_dist("eccodeslib", "2.46", "eccodeslib/lib64/libeccodes.so,,\n",
             "Requires-Dist: eckitlib==2.0\nRequires-Dist: fckitlib\n");
    put_dist("eccodes", "2.46", "eccodes/__init__.py,,\n",
             "Requires-Dist: eccodeslib; platform_system != \"Windows\"\nRequires-Dist: numpy\n");
    put_dist("cfgrib", "0.9", "cfgrib/__init__.py,,\n", "Requires-Dist: eccodes>=0.9.8\n");
    put_dist("Other.Thing", "1", "\"other/lib,x.so\",,\n",
             "Requires-Dist: eckitlib; extra == \"maps\"\n"
             "Requires-Dist: fckitlib; sys_platform == \"win32\"\n"
             "Requires-Dist: eccodeslib; python_version < \"3.8\"\n");
    put_dist("psycopg2_binary", "2.9", "psycopg2_binary.libs/libldap-1accf1ee.so.2.0.200,,\n", "");
    expect("/" SITE "eckitlib.libs/libldap-cea2a960.so.2", "wheel", "eckitlib", "2.0", "pip");
    expect("/" SITE "psycopg2_binary.libs/libldap-1accf1ee.so.2.0.200", "wheel", "psycopg2_binary",
           "2.9", "pip");
    expect("/" SITE "other/lib,x.so", "wheel", "Other.Thing", "1", "pip");
    /* a file that no list names has no owner, whatever its folder is called */
    expect("/" SITE "eckitlib.libs/libother-cea2a960.so.2", NULL, NULL, NULL, NULL);
    expect("/" SITE "eckitlib.libs/libldap-cea2a960.so", NULL, NULL, NULL, NULL);

    o = owner_of("/" SITE "eckitlib.libs/libldap-cea2a960.so.2");
    assert_int_equal(o.requested_by_total, 1);
    assert_string_equal(o.requested_by[0], "eccodeslib \u2190 eccodes \u2190 cfgrib");
    o = owner_of("/" SITE "psycopg2_binary.libs/libldap-1accf1ee.so.2.0.200");
    assert_int_equal(o.requested_by_total, 0);
}

/* An extra counts when somebody asks for it. */
static void test_extras(void **state)
{
    struct inq_owner o;

    (void)state;
    put_dist("lib", "1", "lib/a.so,,\n", "");
    put_dist("middle", "1", "m,,\n", "Requires-Dist: lib; extra == 'Fast_Path'\n");
    put_dist("asks", "1", "a,,\n", "Requires-Dist: middle[fast-path,other] (>=1)\n");
    put_dist("plain", "1", "p,,\n", "Requires-Dist: middle\n");
    o = owner_of("/" SITE "lib/a.so");
    assert_int_equal(o.requested_by_total, 2);
    assert_string_equal(o.requested_by[0], "middle \u2190 asks");
    assert_string_equal(o.requested_by[1], "middle \u2190 plain");
}

/* Circles end, and give the direct users. */
static void test_circle(void **state)
{
    struct inq_owner o;

    (void)state;
    put_dist("one", "1", "one/a.so,,\n", "Requires-Dist: two\nRequires-Dist: one\n");
    put_dist("two", "1", "two/a.so,,\n", "Requires-Dist: three\n");
    put_dist("three", "1", "three/a.so,,\n", "Requires-Dist: one\n");
    o = owner_of("/" SITE "one/a.so");
    assert_int_equal(o.requested_by_total, 1);
    assert_string_equal(o.requested_by[0], "three");
}

static void test_conda(void **state)
{
    struct inq_owner o;

    (void)state;
    put("env/conda-meta/openssl-3.2.1-hd590300_1.json",
        "{\"name\": \"openssl\", \"files\": [\"lib/libssl.so.3\", \"lib/libcrypto.so.3\"]}");
    put("env/conda-meta/curl-tools-8.0-h1_0.json",
        "{\"name\": \"curl-tools\", \"depends\": [\"openssl >=3.2.1,<4.0a0\", \"__glibc\"], "
        "\"files\": [\"bin/curl\"], \"note\": \"lib/libfake.so\"}");
    put("env/conda-meta/scipy-1.11.4-py311_0.json", "{\"name\": \"scipy\", \"files\": []}");
    put("env/conda-meta/broken-1-0.json", "{\"files\": [\"lib/libssl.so.3\"");
    put_dist("scipy", "1.17.0", "scipy.libs/libscipy_openblas-6cdc3b4a.so,,\n", "");
    /* found by its name, and only in `files` */
    expect("/env/lib/libopenssl.so", NULL, NULL, NULL, NULL);
    assert_null(inq_owners_find(owners, "/env/lib/libssl.so.3", true, &o));
    assert_string_equal(o.kind, "conda");
    assert_string_equal(o.package, "openssl");
    assert_string_equal(o.version, "3.2.1");
    assert_int_equal(o.requested_by_total, 1);
    assert_string_equal(o.requested_by[0], "curl-tools");
    assert_null(inq_owners_find(owners, "/env/lib/libfake.so", true, &o));
    assert_null(o.kind);
    /* the mapped path wins over what conda believes */
    o = owner_of("/" SITE "scipy.libs/libscipy_openblas-6cdc3b4a.so");
    assert_string_equal(o.kind, "wheel");
    assert_string_equal(o.version, "1.17.0");
    assert_string_equal(o.contradiction, "conda-pip-overlay");
}

static void test_debian(void **state)
{
    struct inq_owner o;

    (void)state;
    put("var/lib/dpkg/status",
        "Package: libssl3\nStatus: install ok installed\nArchitecture: i386\nVersion: 1-i386\n\n"
        "Package: libssl3-dev\nArchitecture: amd64\nVersion: 9\n\n"
        "Package: libssl3\nArchitecture: amd64\nVersion: 3.0.11-1\nDescription: x\n Version: no\n\n"
        "Package: oddly-named\nArchitecture: all\nVersion: 7\n");
    put("var/lib/dpkg/info/libssl3:amd64.list",
        "/.\n/usr\n/usr/lib/x86_64-linux-gnu/libssl.so.3\n/lib/x86_64-linux-gnu/libmoved.so.1\n");
    put("var/lib/dpkg/info/libssl3:i386.list", "/usr/lib/i386-linux-gnu/libssl.so.3\n");
    put("var/lib/dpkg/info/oddly-named.list", "/usr/lib/x86_64-linux-gnu/libhidden.so.2\n");
    put("var/lib/dpkg/info/libhidden2.list", "/usr/share/doc/libhidden2\n");
    expect("/usr/lib/x86_64-linux-gnu/libssl.so.3", "system", "libssl3", "3.0.11-1", "dpkg");
    /* the merged /usr */
    expect("/lib/x86_64-linux-gnu/libssl.so.3", "system", "libssl3", "3.0.11-1", "dpkg");
    expect("/usr/lib/i386-linux-gnu/libssl.so.3", "system", "libssl3", "1-i386", "dpkg");
    /* one that has the name and not the file is no owner; a full search finds the right one */
    expect("/usr/lib/x86_64-linux-gnu/libhidden.so.2", NULL, NULL, NULL, NULL);
    assert_null(inq_owners_find(owners, "/usr/lib/x86_64-linux-gnu/libhidden.so.2", true, &o));
    assert_string_equal(o.package, "oddly-named");
    assert_string_equal(o.version, "7");
}

static void test_alpine_and_arch(void **state)
{
    (void)state;
    put("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.4-r2\nF:lib\nR:ld-musl-x86_64.so.1\n\n"
                                "P:libssl3\nV:3.1.4-r5\nF:usr\nF:usr/lib\nR:libssl.so.3\n"
                                "F:usr/lib/deep\nR:libdeep.so\n");
    put("var/lib/pacman/local/openssl-3.2.1-1/files",
        "%FILES%\nusr/lib/\nusr/lib/libcrypto.so.3\n");
    put("var/lib/pacman/local/openssl-3.2.1-1/desc", "%NAME%\nopenssl\n");
    expect("/usr/lib/libssl.so.3", "system", "libssl3", "3.1.4-r5", "apk");
    expect("/lib/ld-musl-x86_64.so.1", "system", "musl", "1.2.4-r2", "apk");
    expect("/usr/lib/libdeep.so", NULL, NULL, NULL, NULL);
    struct inq_owner o;
    assert_null(inq_owners_find(owners, "/usr/lib/libcrypto.so.3", true, &o));
    assert_string_equal(o.package, "openssl");
    assert_string_equal(o.version, "3.2.1-1");
}

static void test_stores_and_java(void **state)
{
    (void)state;
    put("usr/lib/jvm/java-17-openjdk-amd64/release",
        "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.9\"\n");
    expect("/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", "jdk",
           "java-17-openjdk-amd64", "17.0.9", "Debian");
    expect("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.13/lib/libssl.so.3", "nix",
           "openssl", "3.0.13", NULL);
    expect("/snap/gimp/393/usr/lib/libgimp.so", "snap", "gimp", NULL, NULL);
    expect("/memfd:x", NULL, NULL, NULL, NULL);
    expect("relative/site-packages/x.libs/y.so", NULL, NULL, NULL, NULL);
}

/* Whatever is written there: no crash, no owner that does not list the file. */
static void test_hostile_lists(void **state)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        ",",
                                        "\"",
                                        "\"\"\"\n",
                                        "a,b\n,,,\n",
                                        "Requires-Dist:",
                                        "Requires-Dist: \n",
                                        "Requires-Dist: ((((((((((\n",
                                        "{\"files\": [[[[[[[[[[",
                                        "{\"files\": {\"lib/x.so\": 1}}",
                                        "Package: \nVersion: \n",
                                        "P:\nV:\nF:\nR:\n",
                                        "P\nF:lib\nR:x.so"};
    struct inq_owner o;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(texts); i++) {
        set_up(state);
        put_dist("x", "1", texts[i], texts[i]);
        put("env/conda-meta/x-1-0.json", texts[i]);
        put("var/lib/dpkg/status", texts[i]);
        put("var/lib/dpkg/info/libx1.list", texts[i]);
        put("lib/apk/db/installed", texts[i]);
        assert_null(inq_owners_find(owners, "/" SITE "x.libs/liba-01234567.so", true, &o));
        assert_null(o.kind);
        assert_null(inq_owners_find(owners, "/env/lib/x.so", true, &o));
        assert_null(o.kind);
        assert_null(inq_owners_find(owners, "/usr/lib/libx.so.1", true, &o));
        assert_null(o.kind);
        tear_down(state);
    }
    set_up(state); /* for the group's tear-down */
}

static const struct {
    const char *marker;
    enum inq_marker want;
} markers[] = {
    {"", INQ_MARKER_YES},
    {"sys_platform == 'win32'", INQ_MARKER_NO},
    {"sys_platform != \"win32\"", INQ_MARKER_YES},
    {"'linux' == sys_platform", INQ_MARKER_YES},
    {"os_name == 'nt'", INQ_MARKER_NO},
    {"platform_system == \"Darwin\" or platform_system == \"Linux\"", INQ_MARKER_YES},
    {"python_version < '3.10'", INQ_MARKER_NO},
    {"python_version >= '3.9'", INQ_MARKER_YES},
    {"python_version >= '3.11'", INQ_MARKER_YES},
    {"python_full_version < '3.11.1'", INQ_MARKER_YES},
    {"python_version == '3.*'", INQ_MARKER_MAYBE},
    {"python_version < \"3.10\" and extra == 'a'", INQ_MARKER_NO},
    {"extra == 'a'", INQ_MARKER_YES},
    {"extra == 'A'", INQ_MARKER_YES},
    {"extra == 'b'", INQ_MARKER_NO},
    {"extra == 'b' or platform_machine == 'x86_64'", INQ_MARKER_MAYBE},
    {"(extra == 'b' or sys_platform == 'linux') and os_name == 'posix'", INQ_MARKER_YES},
    {"extra == 'b' or sys_platform == 'linux' and os_name == 'nt'", INQ_MARKER_NO},
    {"((extra == 'b'))", INQ_MARKER_NO},
    {"platform_machine in 'x86_64 AMD64'", INQ_MARKER_MAYBE},
    {"sys_platform not in 'win32'", INQ_MARKER_MAYBE},
    /* damaged ones hold nothing back */
    {"sys_platform ==", INQ_MARKER_MAYBE},
    {"sys_platform == 'win32", INQ_MARKER_MAYBE},
    {"((((", INQ_MARKER_MAYBE},
    {"))))", INQ_MARKER_MAYBE},
    {"and or and", INQ_MARKER_MAYBE},
    {"\x01", INQ_MARKER_MAYBE},
};

static void test_markers(void **state)
{
    static const struct inq_markers here = {.python = "3.11"};
    static const char *const extras[] = {"a"};
    char deep[2000];

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(markers); i++) {
        enum inq_marker have =
            inq_marker_evaluate(markers[i].marker, strlen(markers[i].marker), &here, extras, 1);

        if (markers[i].marker[0] == 'a' && have != INQ_MARKER_NO)
            continue; /* nonsense may mean anything but no */
        if (have != markers[i].want)
            fail_msg("%s: %d", markers[i].marker, have);
    }
    memset(deep, '(', sizeof(deep));
    assert_int_equal(inq_marker_evaluate(deep, sizeof(deep), &here, extras, 1), INQ_MARKER_MAYBE);
}

static void test_requirements(void **state)
{
    static const struct {
        const char *line, *name, *extras, *marker;
    } lines[] = {
        {"numpy", "numpy", "", ""},
        {"  Foo_Bar.baz >=1,<2 ; extra == 'x'", "foo-bar-baz", "", " extra == 'x'"},
        {"dask[array, Fast]>=2;python_version<'3'", "dask", "array, Fast", "python_version<'3'"},
        {"a @ https://example.org/a.whl", "a", "", ""},
        {"dask[array", "dask", "", ""},
    };
    struct inq_requirement r;
    char big[400];

    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(lines); i++) {
        assert_true(inq_requirement_parse(lines[i].line, strlen(lines[i].line), &r));
        assert_string_equal(r.name, lines[i].name);
        assert_int_equal(r.extras_size, strlen(lines[i].extras));
        assert_int_equal(r.marker_size, strlen(lines[i].marker));
        if (r.marker_size > 0)
            assert_memory_equal(r.marker, lines[i].marker, r.marker_size);
    }
    assert_false(inq_requirement_parse("", 0, &r));
    assert_false(inq_requirement_parse("; x", 3, &r));
    memset(big, 'a', sizeof(big));
    assert_false(inq_requirement_parse(big, sizeof(big), &r));
}

static void test_note(void **state)
{
    static const char json[] = "{\"type\":\"rpm\",\"name\":\"glibc\",\"version\":\"2.39-1.fc40\"}";
    uint8_t note[16 + sizeof(json)];
    const uint32_t head[] = {4, sizeof(json), 0xcafe1a7eu};
    struct inq_distro_package package;

    set_up(state);
    memcpy(note, head, 12);
    memcpy(note + 12, "FDO", 4);
    memcpy(note + 16, json, sizeof(json));
    assert_true(inq_package_note(note, sizeof(note), false, arena, &package));
    assert_string_equal(package.manager, "rpm");
    assert_string_equal(package.name, "glibc");
    assert_string_equal(package.version, "2.39-1.fc40");
    for (size_t n = 0; n < sizeof(note); n++)
        assert_false(inq_package_note(note, n, false, arena, &package));
    note[8] ^= 1;
    assert_false(inq_package_note(note, sizeof(note), false, arena, &package));
    tear_down(state);
}

int run_owner_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wheels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_extras, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_circle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_conda, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_debian, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alpine_and_arch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stores_and_java, set_up, tear_down),
        cmocka_unit_test_teardown(test_hostile_lists, tear_down),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_requirements),
        cmocka_unit_test(test_note),
    };

    return cmocka_run_group_tests_name("owners", tests, NULL, NULL);
}
