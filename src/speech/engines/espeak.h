/* espeak-ng as a voice program: what tests reach into. Everything else is in the provider row. */
#ifndef CP_SPEECH_ESPEAK_H
#define CP_SPEECH_ESPEAK_H

#include "speech/speech_provider.h"

#include <sys/types.h>

/* The worker's process, 0 when none runs. Any thread. */
pid_t cp_espeak_worker_pid(void *engine);
/* How long one try at a sentence may take. Before the first request. */
void cp_espeak_set_deadline_ms(void *engine, int64_t deadline_ms);

#endif
