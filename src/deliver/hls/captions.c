/*
 * What is said, for players: captions as WebVTT beside the segments, cues as date ranges.
 *
 * Captions are known when their sentence begins to sound, so before the part that they stand in is cut: sound
 * and picture still have to be coded. The text of a part or segment is written when it is first asked for and
 * is the same ever after, since caches keep it; a caption that was given out is not changed any more either.
 */
#include "hls_int.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PHRASES  64          /* of one sentence */
#define MAX_VTT      (256 << 10) /* of one segment */
#define MIN_CAPTIONS 64
#define MAX_CAPTIONS 4096

int cp_hls_captions_create(struct cp_hls *hls)
{
    /* One a second of what is kept: a caption lasts for two to five. */
    int64_t wanted = hls->n_ring * hls->segment_samples / CP_SAMPLE_HZ;
    hls->max_captions = (int)(wanted < MIN_CAPTIONS   ? MIN_CAPTIONS
                              : wanted > MAX_CAPTIONS ? MAX_CAPTIONS
                                                      : wanted);
    hls->captions = calloc((size_t)hls->max_captions, sizeof *hls->captions);
    return hls->captions ? 0 : CP_ERR_NOMEM;
}

static struct cp_hls_caption *caption(struct cp_hls *hls, int i)
{
    assert(hls->max_captions > 0);
    return &hls->captions[(hls->first_caption + i) % hls->max_captions];
}

/* --- what is told --- */

static void add_caption(struct cp_hls *hls, int64_t at, const struct cp_hls_phrase *phrase)
{
    assert(hls->max_captions > 0);
    if (hls->n_captions == hls->max_captions) {
        bool needed = hls->n_segments && caption(hls, 0)->end > cp_hls_segment(hls, 0)->start;
        hls->stats.captions_lost += needed;
        hls->first_caption = (hls->first_caption + 1) % hls->max_captions;
        hls->n_captions--;
    }
    struct cp_hls_caption *to = caption(hls, hls->n_captions++);
    to->begin = at + phrase->begin;
    to->end = at + phrase->end;
    if (to->end < to->begin + CP_SAMPLES_PER_FRAME) /* WebVTT knows none that last no time */
        to->end = to->begin + CP_SAMPLES_PER_FRAME;
    to->given_out = false;
    memcpy(to->text, phrase->text, sizeof to->text);
    hls->stats.captions++;
}

/* The sentence was cut: what was not said is not shown, but for what players have already. */
static void cut_captions(struct cp_hls *hls, int64_t at)
{
    while (hls->n_captions && caption(hls, hls->n_captions - 1)->begin >= at &&
           !caption(hls, hls->n_captions - 1)->given_out)
        hls->n_captions--;
    struct cp_hls_caption *last = hls->n_captions ? caption(hls, hls->n_captions - 1) : NULL;
    if (last && last->end > at && !last->given_out)
        last->end = at;
}

static struct cp_hls_range *present_range(struct cp_hls *hls)
{
    struct cp_hls_range *range = hls->n_ranges ? &hls->ranges[hls->n_ranges - 1] : NULL;
    return range && range->end < 0 ? range : NULL;
}

/* Text that a quoted string may hold (RFC 8216bis 4.2), and short. */
static bool can_be_quoted(const char *text)
{
    return strlen(text) < CP_HLS_RANGE_TEXT_BYTES && !strpbrk(text, "\"\r\n");
}

/* A cue that goes on after it was over (one that is written while it is said) gets another name: attributes
 * of a date range never change. */
static void name_range(struct cp_hls *hls, struct cp_hls_range *range, const char *cue)
{
    int before = 0;
    for (int i = 0; i < hls->n_ranges; i++)
        before += !strcmp(hls->ranges[i].cue, cue);
    snprintf(range->cue, sizeof range->cue, "%s", cue);
    snprintf(range->id, sizeof range->id, before ? "%s-%d" : "%s", cue, before + 1);
}

static void open_range(struct cp_hls *hls, const struct cp_hls_speech *speech)
{
    struct cp_hls_range range = {.begin = speech->at, .wall_ns = speech->wall_ns, .end = -1};
    name_range(hls, &range, speech->cue);
    if (can_be_quoted(speech->utterance->text))
        snprintf(range.text, sizeof range.text, "%s", speech->utterance->text);
    if (hls->n_ranges == CP_HLS_MAX_RANGES) {
        memmove(hls->ranges, hls->ranges + 1, (CP_HLS_MAX_RANGES - 1) * sizeof *hls->ranges);
        hls->n_ranges--;
    }
    hls->ranges[hls->n_ranges++] = range;
}

/* The cue on air ends when another line begins, when it is cut, or after its last sentence. After any other
 * one more of it may come: its end is not known yet. */
static void follow_cue(struct cp_hls *hls, const struct cp_hls_speech *speech)
{
    struct cp_hls_range *present = present_range(hls);
    int64_t end = hls->sentence_end < speech->at ? hls->sentence_end : speech->at;
    bool cut = hls->sentence_end > speech->at;
    bool goes_on =
        speech->utterance && present && !speech->first_of_line && !strcmp(speech->cue, present->cue);
    if (present && !goes_on && (speech->utterance || cut || hls->sentence_is_last))
        present->end = end;
    if (speech->utterance && *speech->cue && !goes_on)
        open_range(hls, speech);
}

void cp_hls_tell(struct cp_hls *hls, const struct cp_hls_speech *speech)
{
    struct cp_hls_phrase phrases[MAX_PHRASES];
    int n = speech->utterance ? cp_hls_split(speech->utterance, phrases, MAX_PHRASES) : 0;
    pthread_mutex_lock(&hls->lock);
    cut_captions(hls, speech->at);
    follow_cue(hls, speech);
    for (int i = 0; i < n; i++)
        add_caption(hls, speech->at, &phrases[i]);
    hls->sentence_end = speech->utterance ? speech->at + speech->utterance->n_samples : speech->at;
    hls->sentence_is_last = speech->utterance && speech->utterance->last;
    cp_hls_playlists_outdated(hls);
    pthread_mutex_unlock(&hls->lock);
}

void cp_hls_set_language(struct cp_hls *hls, const char *language)
{
    size_t length = strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    pthread_mutex_lock(&hls->lock);
    snprintf(hls->language, sizeof hls->language, "%s", language[length] ? "" : language);
    cp_hls_playlists_outdated(hls);
    pthread_mutex_unlock(&hls->lock);
}

/* --- what is asked for --- */

static void write_time(struct cp_buffer *text, int64_t at)
{
    long long ms = at / (CP_SAMPLE_HZ / 1000);
    cp_buffer_printf(text, "%02lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

/* Times are the sample clock's, as in the segments; so one map does for all (RFC 8216bis 3.1.4). It names a
 * moment at which no picture begins: hls.js ignores a map whose moment is the first one that it plays, and
 * then has the captions late by seconds. A caption stands in each segment that it is shown in. */
static struct cp_hls_body *write_captions(struct cp_hls *hls, int64_t start, int64_t end)
{
    struct cp_buffer text = cp_buffer_make(MAX_VTT);
    cp_buffer_text(&text, "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:90,LOCAL:00:00:00.001\n\n");
    for (int i = 0; i < hls->n_captions; i++) {
        struct cp_hls_caption *one = caption(hls, i);
        if (one->begin >= end || one->end <= start)
            continue;
        one->given_out = true;
        write_time(&text, one->begin);
        cp_buffer_text(&text, " --> ");
        write_time(&text, one->end);
        cp_buffer_printf(&text, "\n%s\n\n", one->text);
    }
    struct cp_hls_body *body = text.failed ? NULL : cp_hls_body_create(text.length);
    if (body)
        memcpy(body->data, text.data, text.length);
    cp_buffer_free(&text);
    return body;
}

struct cp_hls_body *cp_hls_segment_captions(struct cp_hls *hls, struct cp_hls_segment *segment)
{
    if (!segment->captions)
        segment->captions = write_captions(hls, segment->start, segment->start + segment->length);
    return cp_ref_take(segment->captions);
}

struct cp_hls_body *cp_hls_part_captions(struct cp_hls *hls, struct cp_hls_segment *segment, int number)
{
    struct cp_hls_part *part = &segment->parts[number];
    int64_t start = segment->start;
    for (int i = 0; i < number; i++)
        start += segment->parts[i].length;
    if (!part->captions)
        part->captions = write_captions(hls, start, start + part->length);
    return cp_ref_take(part->captions);
}

/* RFC 8216bis 4.4.5.1. Those that ended before the playlist begins are left out. */
void cp_hls_write_ranges(struct cp_hls *hls, struct cp_buffer *text, int64_t from, int64_t to)
{
    for (int i = 0; i < hls->n_ranges; i++) {
        const struct cp_hls_range *range = &hls->ranges[i];
        char date[32];
        if ((range->end >= 0 && range->end <= from) || range->begin >= to)
            continue;
        cp_clock_rfc3339(range->wall_ns, date);
        cp_buffer_printf(text, "#EXT-X-DATERANGE:ID=\"%s\",CLASS=\"compere.cue\",START-DATE=\"%s\"",
                         range->id, date);
        if (range->end >= 0)
            cp_buffer_printf(text, ",DURATION=%.3f", (double)(range->end - range->begin) / CP_SAMPLE_HZ);
        if (*range->text)
            cp_buffer_printf(text, ",X-CUE=\"%s\"", range->text);
        cp_buffer_text(text, "\n");
    }
}
