/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_NEAREST_H
#define INQ_BASE_NEAREST_H

/* "Did you mean ...?": the nearest of some names to a word that is none of them. */

#include <stddef.h>

/* Longer words and names are not compared. */
#define INQ_NEAREST_WORD 64u

/*
 * The name with the fewest insertions, deletions, replacements and swaps of neighbours away from
 * `word`; NULL when none is near enough to have been meant. The first of several.
 */
const char *inq_nearest(const char *word, const char *const *names, size_t n);

#endif
