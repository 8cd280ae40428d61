/*
 * Two functions of flite that this program puts in the place of the library's: its interpretation of decision
 * trees (cart_interpret), which looks up by name, for every frame of sound, what holds for a whole phone; and
 * its vocoder (mlsa_resynthesis). A program's own definition goes before a shared library's, so nothing of
 * flite is changed; where a library binds its calls to itself, it stays as slow as it was and sounds as it
 * did.
 */
#ifndef CP_SPEECH_FLITE_HOOKS_H
#define CP_SPEECH_FLITE_HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Around each utterance; all flite is under its caller's lock. The vocoder gives up when *stop is true. */
void cp_flite_hooks_begin(const atomic_bool *stop);
void cp_flite_hooks_end(void);

/* For tests: every answer of the trees is worked out anew. */
void cp_flite_hooks_forget(bool always);
/* Frames of sound that our vocoder has made: not 0 when the library takes our functions. */
int64_t cp_flite_hooks_frames(void);

#endif
