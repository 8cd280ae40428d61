#include "speech/speech_provider.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more; doubles the array. NULL when out of memory (the old array stays). */
static void *grow(void *array, size_t *capacity, size_t wanted, size_t item_bytes)
{
    if (wanted <= *capacity)
        return array;
    size_t larger = *capacity ? *capacity * 2 : 256;
    if (larger < wanted)
        larger = wanted;
    void *moved = realloc(array, larger * item_bytes);
    if (moved)
        *capacity = larger;
    return moved;
}

int cp_sound_add_pcm(struct cp_sound *sound, const int16_t *pcm, size_t n_samples)
{
    size_t limit = (size_t)sound->hz * CP_SOUND_MAX_S;
    if (n_samples > limit || sound->n_samples > limit - n_samples)
        return CP_ERR_LIMIT;
    int16_t *room = grow(sound->pcm, &sound->capacity, sound->n_samples + n_samples, sizeof *pcm);
    if (!room)
        return n_samples ? CP_ERR_NOMEM : 0;
    sound->pcm = room;
    memcpy(room + sound->n_samples, pcm, n_samples * sizeof *pcm);
    sound->n_samples += n_samples;
    return 0;
}

int cp_sound_add_event(struct cp_sound *sound, const struct cp_sound_event *event)
{
    const size_t limit = 100 * CP_SOUND_MAX_S; /* nobody speaks 100 phones a second */
    if (sound->n_events >= limit)
        return CP_ERR_LIMIT;
    struct cp_sound_event *room =
        grow(sound->events, &sound->event_capacity, sound->n_events + 1, sizeof *event);
    if (!room)
        return CP_ERR_NOMEM;
    sound->events = room;
    room[sound->n_events++] = *event;
    return 0;
}

int cp_sound_by_time(const void *a, const void *b)
{
    const struct cp_sound_event *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return (int)left->type - (int)right->type;
}

void cp_sound_clear(struct cp_sound *sound)
{
    sound->n_samples = 0;
    sound->n_events = 0;
    sound->hz = 0;
    sound->melody_ignored = false;
}

void cp_sound_free(struct cp_sound *sound)
{
    free(sound->pcm);
    free(sound->events);
    *sound = (struct cp_sound){0};
}
