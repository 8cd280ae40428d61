#include "speech/speech_provider.h"

const struct cp_speech_provider *const cp_speech_providers[] = {
    &cp_flite_provider, &cp_espeak_provider, &cp_worker_provider,     &cp_openai_provider,
    &cp_polly_provider, &cp_azure_provider,  &cp_elevenlabs_provider,
};
const size_t cp_speech_n_providers = sizeof(cp_speech_providers) / sizeof(cp_speech_providers)[0];
