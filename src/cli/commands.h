/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_CLI_COMMANDS_H
#define INQ_CLI_COMMANDS_H

#include "cli.h"

/*
 * The whole run: parses, dispatches, closes standard output. Returns the exit code; main() only
 * adds the signals.
 */
int cli_main(int argc, char **argv);

#endif
