/* What tests need of the espeak-ng engine besides its provider row. */
#ifndef CP_SPEECH_ESPEAK_H
#define CP_SPEECH_ESPEAK_H

#include "speech/speech_provider.h"

#include <sys/types.h>

/* The worker's process, 0 when none runs. Any thread. */
pid_t cp_espeak_worker_pid(void *engine);
/* How long a sentence may take. Before the first request. */
void cp_espeak_set_deadline_ms(void *engine, int64_t deadline_ms);

/* Reads the payload of a CP_FRAME_EVENTS frame; foreign bytes. Events outside the text or out of order are
 * mended or left out. CP_ERR_FORMAT when it is not of the protocol. */
int cp_espeak_read_marks(const char *json, size_t length, size_t text_bytes, struct cp_sound *sound);

#endif
