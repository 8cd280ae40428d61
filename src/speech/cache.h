/*
 * Sentences that were spoken lately, so that the same text by the same voice is heard at once and made once.
 *
 * An entry's name is the SHA-256 of everything that its sound depends on: the request as given (text or SSML,
 * language, rate, pitch, volume), the voice that spoke, the number of the sentence, and the version of this
 * program. What is least recently used gives way when the bytes are used up, and what has expired does in any
 * case. A hit is a copy of its own, as good as made now. Any thread.
 */
#ifndef CP_SPEECH_CACHE_H
#define CP_SPEECH_CACHE_H

#include "speech/speech.h"

struct cp_speech_cache;

/* NULL when max_bytes is 0 or memory ran out: then nothing is ever found, which is right too. keep_s: how
 * long an entry lives that nobody gave another time. */
struct cp_speech_cache *cp_speech_cache_create(int64_t max_bytes, int64_t keep_s);
void cp_speech_cache_destroy(struct cp_speech_cache *cache);

/* The sentence as spoken before, `cached` and with made_ns of now, a reference for the caller; or NULL. */
struct cp_utterance *cp_speech_cache_get(struct cp_speech_cache *cache,
                                         const uint8_t key[CP_SPEECH_KEY_BYTES], const char *voice,
                                         int sentence);
/* Keeps a reference; the utterance has its key, voice and sentence, and does not change from now on. */
void cp_speech_cache_put(struct cp_speech_cache *cache, struct cp_utterance *utterance);

/* All sentences of a request: gone at this monotonic time; 0: at once. */
void cp_speech_cache_expire(struct cp_speech_cache *cache, const uint8_t key[CP_SPEECH_KEY_BYTES],
                            int64_t expires_ns);
void cp_speech_cache_sweep(struct cp_speech_cache *cache);
void cp_speech_cache_count(struct cp_speech_cache *cache, struct cp_speech_stats *stats);

#endif
