#include "speech/speech_provider.h"

const struct cp_speech_provider *const cp_speech_providers[] = {
    &cp_flite_provider,
    &cp_espeak_provider,
};
const size_t cp_speech_n_providers = sizeof(cp_speech_providers) / sizeof(cp_speech_providers)[0];
