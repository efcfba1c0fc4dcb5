/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_KLOG_TESTS_H
#define INQ_TEST_KLOG_TESTS_H

/* Each runs one group of tests and returns how many failed. */
int test_lines(void);
int test_when(void);
int test_groups(void);

#endif
