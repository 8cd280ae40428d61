/* The reader's state, for reader.c and numbers.c. */
#ifndef CP_SPEECH_READING_READER_H
#define CP_SPEECH_READING_READER_H

#include "speech/reading/tongue.h"

#include <unicode/unum.h>

#define CP_READER_MAX_FORMATS 8

struct cp_reader {
    struct {
        const char *tag;
        UNumberFormat *format;
    } formats[CP_READER_MAX_FORMATS];
    int n_formats;
};

#endif
