/* Documents of any type -> blocks of plain text: headings, paragraphs, and pairs of question and answer. */
#ifndef CP_ANSWERS_EXTRACT_H
#define CP_ANSWERS_EXTRACT_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

enum cp_block_kind { CP_BLOCK_UNSET, CP_BLOCK_HEADING, CP_BLOCK_PARAGRAPH, CP_BLOCK_PAIR };

struct cp_range { /* bytes of the extract's text, half open */
    int32_t start, end;
};

struct cp_block {
    enum cp_block_kind kind;
    int level;                      /* headings: 1 .. 6 */
    struct cp_range text;           /* of a pair: the answer */
    struct cp_range question, link; /* pairs only; the link may be empty */
};

#define CP_MAX_BLOCKS 200000

struct cp_extract {
    struct cp_buffer text; /* UTF-8; white space within blocks is single spaces */
    struct cp_block *blocks;
    int n_blocks, capacity;
    bool failed; /* out of memory or too many blocks: later additions are ignored */
};

/*
 * type: a Content-Type; parameters are ignored. CP_ERR_UNSUPPORTED names the types; CP_ERR_FORMAT: the bytes
 * are not what the type says; CP_ERR_LIMIT; CP_ERR_UNAVAILABLE: the program that reads them is missing.
 * Texts may be UTF-8, UTF-16 with a mark, or, when they are neither, Windows-1252. The caller frees *ret in
 * every case. May block for up to 20 s: on a child process (PDF), on XML made to be slow (Word).
 */
int cp_extract(const char *type, const void *bytes, size_t length, struct cp_extract *ret_extract,
               struct cp_error *error);
void cp_extract_free(struct cp_extract *extract);

/* --- for the readers of single types --- */

/* Starts a block at the end of the text, and ends it: white space at its ends goes, an empty one is none. */
void cp_extract_begin(struct cp_extract *extract, enum cp_block_kind kind, int level);
void cp_extract_add(struct cp_extract *extract, const char *text, size_t length);
void cp_extract_end(struct cp_extract *extract);
void cp_extract_pair(struct cp_extract *extract, const char *question, const char *answer, const char *link);

int cp_extract_plain(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error);
int cp_extract_markdown(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error);
int cp_extract_html(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error);
int cp_extract_csv(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error);
/* A text made by pdftotext in a child process with bounds on time, memory and output. */
int cp_extract_pdf(struct cp_extract *extract, const char *bytes, size_t length, struct cp_error *error);
/* Word's .docx: at most 64 MB of XML, 20 s; rows of tables are paragraphs, what was deleted is left out. */
int cp_extract_docx(struct cp_extract *extract, const char *bytes, size_t length, struct cp_error *error);

#endif
