/* A rendered line as files with alpha: NAME-000000.png, ... and its sound, NAME.wav. One thread at a time. */
#ifndef CP_APP_SERIES_H
#define CP_APP_SERIES_H

#include "app/app.h"

struct cp_series;

/* path: "some/where/NAME.png"; its folder has to be there. */
int cp_series_open(const char *path, struct cp_series **ret_series, struct cp_error *error);
int cp_series_write(struct cp_series *series, int64_t frame, const struct cp_cutout *cutout,
                    const int16_t pcm[CP_SAMPLES_PER_FRAME], struct cp_error *error);
/* Finishes the sound. NULL is fine. */
int cp_series_close(struct cp_series *series, struct cp_error *error);

#endif
