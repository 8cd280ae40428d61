/* Makes one utterance of a sentence: asks the engine, then trims, converts, evens and marks. thread: speech
 */
#ifndef CP_SPEECH_MAKE_H
#define CP_SPEECH_MAKE_H

#include "speech/dsp.h"
#include "speech/script.h"
#include "speech/speech_provider.h"

/* What outlives a sentence: buffers and filter tables. */
struct cp_maker {
    double loudness_lufs;
    struct cp_sound sound;
    struct cp_resampler *resampler[4]; /* by rate, the latest first */
};

struct cp_make_request {
    const struct cp_speech_provider *provider;
    void *engine;
    const char *voice_id;
    const struct cp_script *script;
    int sentence;
    double rate, pitch, volume;
    int64_t deadline_ns; /* monotonic */
    const atomic_bool *stop;
};

int cp_make_utterance(struct cp_maker *maker, const struct cp_make_request *request,
                      struct cp_utterance **ret_utterance, struct cp_error *error);
void cp_maker_clear(struct cp_maker *maker);

#endif
