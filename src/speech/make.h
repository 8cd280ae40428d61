/* Makes one utterance of a sentence: asks the engine, then trims, converts, evens and marks. thread: speech
 */
#ifndef CP_SPEECH_MAKE_H
#define CP_SPEECH_MAKE_H

#include "speech/dsp/dsp.h"
#include "speech/reading/reading.h"
#include "speech/script.h"
#include "speech/speech_provider.h"

/* What outlives a sentence: buffers and filter tables. */
struct cp_maker {
    double loudness_lufs, breath; /* as in struct cp_speech_config */
    struct cp_sound sound;
    struct cp_resampler *resampler[4]; /* by rate, the latest first */
    struct cp_reader *reader;          /* made at the first piece */
    struct cp_aligner *aligner;        /* made at the first sound without phones */
    const struct cp_speech_config *config;
};

/* A voice with all that is needed to speak by it. */
struct cp_speaker {
    const struct cp_speech_provider *provider;
    void *engine;
    const char *voice_id, *language; /* BCP 47 */
};

/* Finds who speaks besides the main voice: the voice of this id or name when it is given, else one of the
 * language and of the main voice's sex. Only engines of this machine take turns, as they have one thread.
 * False, with *ret_speaker as it was, when there is none or the main voice is of that language itself.
 * thread: speech */
bool cp_speech_speaker(const struct cp_speech *speech, const struct cp_speaker *main, const char *voice,
                       const char *language, struct cp_speaker *ret_speaker);

struct cp_make_request {
    const struct cp_speech_provider *provider;
    void *engine;
    const char *voice_id;
    const struct cp_script *script;
    int sentence;
    double rate, pitch, volume;
    int style;                        /* cp_style_find */
    const struct cp_speech *speech;   /* whose voices say what the main one cannot; NULL: none do */
    const char *language;             /* that the text is read in; "" or NULL: by universal rules only */
    const struct cp_lexicon *lexicon; /* may be NULL */
    int64_t deadline_ns;              /* monotonic */
    const atomic_bool *stop;
};

int cp_make_utterance(struct cp_maker *maker, const struct cp_make_request *request,
                      struct cp_utterance **ret_utterance, struct cp_error *error);
/* --- between make.c, piece.c and recording.c --- */

#define CP_LEVEL_CEILING 0.87f /* -1.2 dBFS: true peak stays under -1 dBTP after rounding to 16 bit */

/* What brings a sound to the loudness wanted, within bounds. */
float cp_levelling_gain(const float *samples, size_t n, double wanted_lufs);

struct cp_take;
/* Speaks script bytes [start, end), which one span covers, into the take. */
int cp_make_piece(struct cp_maker *maker, const struct cp_make_request *request, struct cp_take *take,
                  int32_t start, int32_t end, struct cp_error *error);
/* The resampler from this rate; NULL when there cannot be one. */
struct cp_resampler *cp_maker_resampler(struct cp_maker *maker, int hz);

/* The take as a sentence's utterance, with its marks and melody; breath_rms: how loud its breaths are made,
 * which are no part of the melody. 0 or CP_ERR_NOMEM. */
int cp_take_finish(struct cp_take *take, const struct cp_script *script, int sentence, const char *voice_id,
                   float breath_rms, struct cp_utterance **ret_utterance);

void cp_maker_clear(struct cp_maker *maker);

#endif
