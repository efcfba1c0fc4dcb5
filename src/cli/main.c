/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "commands.h"
#include "pipeline.h"

static void catch_signals(void)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction stop = {.sa_handler = inq_pipeline_interrupt};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(caught); i++) {
        /* nohup, and jobs in the background of a script, ignore some: that stays so */
        if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(caught[i], &stop, NULL);
    }
    sigaction(SIGPIPE, &ignore, NULL); /* a write error tells the same, and where */
}

/*
 * Descriptors 0 to 2 must exist, or the first file that is opened would be written to as one of
 * them. Where the caller closed standard output, writing must still fail: so it is opened for
 * reading.
 */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    catch_signals();
    return cli_main(argc, argv);
}
