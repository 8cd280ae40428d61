/*
 * The door: the draw thread's end of a channel. It turns the sentences that lie below into one moment and
 * 1,600 samples a frame, and hands each sentence back when it has ended. No allocation, no lock, no waiting.
 */
#include "show/show_int.h"

#include "base/clock.h"
#include "base/thread.h"

#include <string.h>

#define FADE_SAMPLES      (30 * CP_SAMPLE_HZ / 1000) /* how fast an interrupt "now" goes silent */
#define WORD_FADE_SAMPLES (12 * CP_SAMPLE_HZ / 1000) /* behind a word, most of whose sound has died away */

static void hand_back(struct cp_stage_door *door, struct item *item, bool wholly)
{
    item->wholly = wholly;
    cp_ring_push(door->up, item);
    cp_show_wake(door->show);
}

/* The end of the word that sounds at `offset`, or of the pause before the next one. */
static int32_t end_of_word(const struct cp_utterance *utterance, int32_t offset)
{
    for (size_t i = 0; i < utterance->n_marks; i++) {
        const struct cp_mark *mark = &utterance->marks[i];
        if (mark->type == CP_MARK_WORD && mark->at_samples + mark->length_samples > offset)
            return mark->at_samples > offset ? offset : mark->at_samples + mark->length_samples;
    }
    return utterance->n_samples;
}

/* Takes note of an interrupt that concerns the current item. */
static void heed_cut(struct cp_stage_door *door)
{
    uint64_t cut = atomic_load_explicit(&door->cut, memory_order_acquire);
    struct item *item = door->current;
    if (!item || item->generation >= (uint32_t)(cut >> 8) || !item->utterance)
        return;
    enum cut_policy policy = (enum cut_policy)(cut & 0xff);
    int32_t at = !door->started       ? 0
                 : policy == CUT_NOW  ? door->offset
                 : policy == CUT_WORD ? end_of_word(item->utterance, door->offset)
                                      : item->utterance->n_samples;
    if (door->cut_at < 0 || at < door->cut_at)
        door->cut_at = at;
    if (!door->started) { /* still in the pause before it */
        hand_back(door, item, false);
        door->current = NULL;
    }
}

static void take_next(struct cp_stage_door *door)
{
    while (!door->current && (door->current = cp_ring_pop(door->down))) {
        door->offset = 0;
        door->cut_at = -1;
        door->started = false;
        door->gap_left = door->current->gap_samples;
        heed_cut(door); /* an item that was cut while it lay below goes straight back */
    }
}

/* 1 at the start of a fade, 0 behind its end, level at both: neither end clicks. */
static float fading(int32_t past, int32_t fade)
{
    if (past <= 0 || past >= fade)
        return past <= 0 ? 1 : 0;
    float left = 1 - (float)past / (float)fade;
    return left * left * (3 - 2 * left);
}

/* Copies this frame's samples of the current item, fading where it is cut. Sets ret_moment->gain. */
static void play(struct cp_stage_door *door, struct cp_moment *ret_moment, int16_t *pcm)
{
    const struct item *item = door->current;
    int32_t fade = FADE_SAMPLES, left = item->utterance->n_samples - door->offset;
    int32_t n = left < CP_SAMPLES_PER_FRAME ? left : CP_SAMPLES_PER_FRAME;
    const int16_t *from = item->utterance->pcm + door->offset;
    bool cut = door->cut_at >= 0 && door->cut_at < item->utterance->n_samples;
    if (cut && door->cut_at > door->offset)
        fade = WORD_FADE_SAMPLES;
    for (int32_t i = 0; i < n; i++) {
        int32_t past = cut ? door->offset + i - door->cut_at : 0;
        pcm[i] = past <= 0 ? from[i] : (int16_t)((float)from[i] * fading(past, fade));
    }
    door->offset += n;
    bool cut_done = cut && door->offset >= door->cut_at + fade;
    ret_moment->gain = cut && door->offset > door->cut_at ? 0.0f : 1.0f;
    if (cut_done || door->offset >= item->utterance->n_samples) {
        door->finished = door->current;
        door->finished_wholly = !cut_done;
        door->current = NULL;
    }
}

/* What the presenter does while nobody speaks. */
static enum cp_attention attention_between_lines(const struct cp_stage_door *door)
{
    int64_t now_ns = cp_clock_now_ns();
    if (now_ns < atomic_load_explicit(&door->listen_until_ns, memory_order_relaxed))
        return CP_ATTENTION_LISTENING;
    bool thinks = atomic_load_explicit(&door->waiting, memory_order_relaxed) ||
                  now_ns < atomic_load_explicit(&door->think_until_ns, memory_order_relaxed);
    return thinks ? CP_ATTENTION_THINKING : CP_ATTENTION_IDLE;
}

void cp_show_moment(struct cp_stage_door *door, struct cp_moment *ret_moment,
                    int16_t ret_pcm[CP_SAMPLES_PER_FRAME])
{
    CP_ASSERT_THREAD("draw");
    memset(ret_moment, 0, sizeof *ret_moment);
    memset(ret_pcm, 0, CP_SAMPLES_PER_FRAME * sizeof *ret_pcm);
    ret_moment->at_samples = door->frame++ * CP_SAMPLES_PER_FRAME;
    ret_moment->attention = attention_between_lines(door);
    ret_moment->emotion = CP_EMOTION_NEUTRAL;
    ret_moment->gain = 1;

    if (door->finished)
        hand_back(door, door->finished, door->finished_wholly);
    door->finished = NULL;
    heed_cut(door);
    take_next(door);
    struct item *item = door->current;
    ret_moment->speech_in_samples = item ? 0 : -1;
    if (item && door->gap_left > 0) {
        ret_moment->speech_in_samples = /* in whole frames */
            (door->gap_left + CP_SAMPLES_PER_FRAME - 1) / CP_SAMPLES_PER_FRAME * CP_SAMPLES_PER_FRAME;
        door->gap_left -= CP_SAMPLES_PER_FRAME;
        item = NULL;
    }
    atomic_store_explicit(&door->speaking, item != NULL, memory_order_relaxed);
    if (item) {
        ret_moment->first_of_line = !door->started && item->first;
        if (!door->started) {
            if (*item->camera)
                memcpy(door->camera, item->camera, sizeof door->camera);
            door->camera_move_s = item->camera_move_s;
            door->card = item->card;
            memcpy(ret_moment->action, item->action, sizeof ret_moment->action);
            if (!item->first)
                ret_moment->action[0] = 0; /* a gesture starts with the cue, not with each sentence */
        }
        door->started = true;
        door->silent_frames = 0;
        ret_moment->attention = CP_ATTENTION_SPEAKING;
        ret_moment->utterance = item->utterance;
        ret_moment->offset_samples = door->offset;
        ret_moment->emotion = item->emotion;
        ret_moment->emotion_intensity = item->emotion_intensity;
        ret_moment->look = item->look;
        ret_moment->scene = item->line->scene;
        memcpy(ret_moment->presenter, item->presenter, sizeof ret_moment->presenter);
        ret_moment->cue_asked_ns = item->asked_ns;
        memcpy(ret_moment->cue, item->cue, sizeof ret_moment->cue);
        play(door, ret_moment, ret_pcm);
    } else if (++door->silent_frames == CP_FRAME_HZ) {
        door->card =
            (struct cp_card_spec){.title = ""}; /* a card leaves a second after the words it came with */
    }
    memcpy(ret_moment->camera, door->camera, sizeof ret_moment->camera);
    ret_moment->camera_move_s = door->camera_move_s;
    ret_moment->card = door->card;
}
