/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_FETCH_PROTOCOL_H
#define INQ_PIPELINE_FETCH_PROTOCOL_H

/*
 * Between inquest and inquest-fetch. It is started in an empty folder of its own, with
 *
 *     inquest-fetch KIND BUILDID BYTES SECONDS      KIND: "debuginfo" or "executable"
 *
 * and the variables of libdebuginfod; descriptor 1 is a pipe, no others are open but /dev/null. It
 * leaves the file INQ_FETCH_RESULT in that folder and writes one of these letters.
 */

#define INQ_FETCH_RESULT "result"
#define INQ_FETCH_UID 65534u /* what root becomes for it: "nobody" of every distribution */

enum inq_fetch_outcome {
    INQ_FETCH_FOUND = 'F',
    INQ_FETCH_NOT_THERE = 'N', /* the servers do not have it */
    INQ_FETCH_TOO_LARGE = 'L',
    INQ_FETCH_TOO_SLOW = 'T',
    INQ_FETCH_NO_SERVER = 'S', /* not one could be reached */
    INQ_FETCH_LED_AWAY = 'R',  /* redirected to where nothing may be fetched from */
    INQ_FETCH_FAILED = 'E',
};

#endif
