/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The smallest use of libinquest: says in two lines why a process died.
 *
 *     cc why.c $(pkg-config --cflags --libs inquest) -o why && ./why core
 */

#include <inquest/inquest.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORE\n", argv[0]);
        return 2;
    }
    struct inq_report *report = NULL;
    struct inq_error *error = inq_report_open(argv[1], NULL, &report);
    if (error) {
        fprintf(stderr, "%s\n", inq_error_text(error));
        inq_error_free(error);
        return 1;
    }
    const char *signal = inq_report_get_text(report, "signal.name");
    const char *function = inq_report_get_text(report, "crashed.frames[0].function");
    const char *cause = inq_report_get_text(report, "verdicts[0].cause");
    printf("%s in %s\n", signal ? signal : "an unknown signal",
           function ? function : "a function without a name");
    printf("%s\n", cause ? cause : "No known signature matches.");
    inq_report_free(report);
    return 0;
}
