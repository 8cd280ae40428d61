/* What a foreign voice program may say of its sound: marks, then phone names on their way to visemes. */
#include "speech/engines/program.h"
#include "speech/visemes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_sound sound = {.hz = 22050};
    cp_program_read_marks((const char *)data, size, 100, &sound);
    int32_t at = 0;
    for (size_t i = 0; i < sound.n_events; i++) {
        const struct cp_sound_event *event = &sound.events[i];
        if (event->at < at || event->start < 0 || event->end > 100 || event->end < event->start)
            abort();
        at = event->at;
        struct cp_mouth mouth = cp_mouth_of_phone(CP_PHONES_IPA, event->name);
        if (mouth.n > CP_VISEME_PARTS)
            abort();
    }
    cp_sound_free(&sound);
    return 0;
}
