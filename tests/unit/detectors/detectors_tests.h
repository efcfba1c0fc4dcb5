/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_DETECTORS_TESTS_H
#define INQ_TESTS_DETECTORS_TESTS_H

/* Each runs its group and returns how many failed. */
int truth_tests(void);
int synthetic_tests(void);
int signal_name_tests(void);
int stack_tests(void);
int decode_x86_tests(void);
int decode_risc_tests(void);
int fault_site_tests(void);

#endif
