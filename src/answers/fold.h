/* Case folding of whole texts (Unicode, full), to compare them without it. */
#ifndef CP_ANSWERS_FOLD_H
#define CP_ANSWERS_FOLD_H

#include <stddef.h>

/* Folds into `to`; "" when the folded text does not fit or is no UTF-8. Any thread. */
void cp_fold_case(const char *text, char *to, size_t capacity);

#endif
