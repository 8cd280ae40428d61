/* The texts: multivariant playlist, media playlists with their delta updates, and the list of key frames. */
#include "hls_int.h"

#include "base/clock.h"

#include <string.h>

#define MAX_TEXT         (256 << 10)
#define SECONDS(samples) ((double)(samples) / CP_SAMPLE_HZ)

/* How the files of a rendition are called: "<segment>-<epoch>-<msn><ending>". */
static const struct names {
    const char *playlist, *segment, *part, *ending;
} NAMES[CP_HLS_RENDITIONS] = {
    [CP_HLS_VIDEO] = {"video.m3u8", "seg", "part", ".m4s"},
    [CP_HLS_CAPTIONS] = {"captions.m3u8", "captions", "captions", ".vtt"},
};

static void drop_text(struct cp_hls_body **text)
{
    cp_ref_drop(*text);
    *text = NULL;
}

void cp_hls_playlists_outdated(struct cp_hls *hls)
{
    drop_text(&hls->main_text);
    drop_text(&hls->keys_text);
    for (int i = 0; i < CP_HLS_RENDITIONS; i++) {
        drop_text(&hls->full_text[i]);
        drop_text(&hls->delta_text[i]);
    }
}

/* Moves the text into a body and remembers it. Returns one more reference. */
static struct cp_hls_body *keep(struct cp_buffer *text, struct cp_hls_body **kept)
{
    struct cp_hls_body *body = text->failed ? NULL : cp_hls_body_create(text->length);
    if (body)
        memcpy(body->data, text->data, text->length);
    cp_buffer_free(text);
    *kept = body;
    return cp_ref_take(body);
}

/* BANDWIDTH must not be below any segment's rate (RFC 8216bis 4.4.6.2): the highest seen and a fifth, in
 * steps of 100 kbit/s. Before the first segment is complete its parts stand for it, doubled: IDRs come first.
 */
static uint64_t bandwidth(struct cp_hls *hls)
{
    uint64_t bps = hls->peak_bps;
    if (!bps && hls->n_segments) {
        const struct cp_hls_segment *segment = cp_hls_segment(hls, hls->n_segments - 1);
        uint64_t bytes = 0;
        for (int i = 0; i < segment->n_parts; i++)
            bytes += segment->parts[i].body ? segment->parts[i].body->length : 0;
        bps = segment->length ? bytes * 16 * CP_SAMPLE_HZ / (uint64_t)segment->length : 0;
    }
    return (bps + bps / 5) / 100000 * 100000 + 100000;
}

/* Never on unless the viewer or their device asks for it (RFC 8216bis 4.4.6.1). */
static void write_subtitles(struct cp_hls *hls, struct cp_buffer *text)
{
    cp_buffer_text(text, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"captions\",NAME=\"Captions\",");
    if (*hls->language)
        cp_buffer_printf(text, "LANGUAGE=\"%s\",", hls->language);
    cp_buffer_text(text, "AUTOSELECT=YES,DEFAULT=NO,FORCED=NO,"
                         "CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog\","
                         "URI=\"captions.m3u8\"\n");
}

/* RFC 8216bis 4.4.6.3. BANDWIDTH: the largest key frame each segment_s, and a fifth. */
static void write_keys_variant(struct cp_hls *hls, struct cp_buffer *text)
{
    uint64_t bps = hls->peak_key_bytes * 8 * CP_SAMPLE_HZ / (uint64_t)hls->segment_samples;
    if (!bps)
        return; /* no segment is complete yet */
    cp_buffer_printf(text,
                     "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=%llu,CODECS=\"avc1.%02x%02x%02x\","
                     "RESOLUTION=%dx%d,URI=\"keys.m3u8\"\n",
                     (unsigned long long)((bps + bps / 5) / 10000 * 10000 + 10000), hls->avc.sps[1],
                     hls->avc.sps[2], hls->avc.sps[3], hls->width, hls->height);
}

struct cp_hls_body *cp_hls_main_playlist(struct cp_hls *hls)
{
    if (hls->main_text)
        return cp_ref_take(hls->main_text);
    if (!hls->stats.parts)
        return NULL;
    struct cp_buffer text = cp_buffer_make(MAX_TEXT);
    uint64_t bps = bandwidth(hls);
    cp_buffer_text(&text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    write_subtitles(hls, &text);
    cp_buffer_printf(&text, "#EXT-X-STREAM-INF:BANDWIDTH=%llu,", (unsigned long long)bps);
    if (hls->mean_bps)
        cp_buffer_printf(&text, "AVERAGE-BANDWIDTH=%llu,", (unsigned long long)hls->mean_bps);
    /* RFC 6381: the SPS's profile, compatibility and level bytes; AAC-LC */
    cp_buffer_printf(&text, "CODECS=\"avc1.%02x%02x%02x%s\",", hls->avc.sps[1], hls->avc.sps[2],
                     hls->avc.sps[3], hls->aac_bytes ? ",mp4a.40.2" : "");
    cp_buffer_printf(&text,
                     "RESOLUTION=%dx%d,FRAME-RATE=%d.000,SUBTITLES=\"captions\",CLOSED-CAPTIONS=NONE\n"
                     "video.m3u8\n",
                     hls->width, hls->height, CP_FRAME_HZ);
    write_keys_variant(hls, &text);
    return keep(&text, &hls->main_text);
}

/* RFC 8216bis 4.4.3 */
static void write_header(struct cp_hls *hls, struct cp_buffer *text, const struct cp_hls_segment *first,
                         bool independent)
{
    double part_s = SECONDS(hls->part_samples);
    /* At least three parts (4.4.3.8); a whole second when that is longer, since shorter is more than the
     * jitter of common networks leaves room for. */
    double part_hold_back_s = 3 * part_s < 1 ? 1 : 3 * part_s;
    cp_buffer_printf(text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%lld\n",
                     (long long)hls->target_s);
    cp_buffer_printf(text,
                     "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=%.1f,HOLD-BACK=%.1f,"
                     "PART-HOLD-BACK=%.5f\n",
                     6.0 * (double)hls->target_s, 3.0 * (double)hls->target_s, part_hold_back_s);
    cp_buffer_printf(text, "#EXT-X-PART-INF:PART-TARGET=%.5f\n", part_s);
    cp_buffer_printf(text, "#EXT-X-MEDIA-SEQUENCE:%llu\n#EXT-X-DISCONTINUITY-SEQUENCE:%llu\n",
                     (unsigned long long)first->msn, (unsigned long long)first->discontinuities);
    if (independent)
        cp_buffer_text(text, "#EXT-X-INDEPENDENT-SEGMENTS\n");
}

/* Captions need nothing that came before them. */
static void write_parts(struct cp_hls *hls, struct cp_buffer *text, const struct cp_hls_segment *segment,
                        enum cp_hls_rendition rendition)
{
    const struct names *names = &NAMES[rendition];
    for (int i = 0; i < segment->n_parts; i++) {
        bool independent = segment->parts[i].independent || rendition == CP_HLS_CAPTIONS;
        cp_buffer_printf(text, "#EXT-X-PART:DURATION=%.5f,URI=\"%s-%s-%llu.%d%s\"%s\n",
                         SECONDS(segment->parts[i].length), names->part, hls->epoch,
                         (unsigned long long)segment->msn, i, names->ending,
                         independent ? ",INDEPENDENT=YES" : "");
    }
}

static void write_segment(struct cp_hls *hls, struct cp_buffer *text, const struct cp_hls_segment *segment,
                          enum cp_hls_rendition rendition, bool new_map, bool complete)
{
    char date[32];
    int64_t edge = hls->part_start, end = segment->start + segment->length;
    cp_clock_rfc3339(segment->wall_ns, date);
    if (segment->discontinuity)
        cp_buffer_text(text, "#EXT-X-DISCONTINUITY\n");
    if (new_map)
        cp_buffer_printf(text, "#EXT-X-MAP:URI=\"init-%s-%u.mp4\"\n", hls->epoch, segment->init.number);
    cp_buffer_printf(text, "#EXT-X-PROGRAM-DATE-TIME:%s\n", date);
    if (!complete || edge - end < 3 * hls->target_s * CP_SAMPLE_HZ)
        write_parts(hls, text, segment, rendition);
    if (complete)
        cp_buffer_printf(text, "#EXTINF:%.5f,\n%s-%s-%llu%s\n", SECONDS(segment->length),
                         NAMES[rendition].segment, hls->epoch, (unsigned long long)segment->msn,
                         NAMES[rendition].ending);
}

/* How many of the oldest listed segments a delta update may leave out: those whose end lies further than
 * CAN-SKIP-UNTIL from the end of the last segment (RFC 8216bis 4.4.3.8). */
static int count_skipped(struct cp_hls *hls, int first, int complete)
{
    int64_t behind = 0;
    int i = complete;
    while (i > first && behind < 6 * hls->target_s * CP_SAMPLE_HZ)
        behind += cp_hls_segment(hls, --i)->length;
    return i - first;
}

/* What is hinted at, and where the other rendition stands (RFC 8216bis 4.4.5.3 and 4.4.5.4). */
static void write_footer(struct cp_hls *hls, struct cp_buffer *text, enum cp_hls_rendition rendition)
{
    const struct names *names = &NAMES[rendition];
    const struct cp_hls_segment *last = cp_hls_segment(hls, hls->n_segments - 1);
    int next_part;
    uint64_t next_msn;
    cp_hls_next_part(hls, &next_msn, &next_part);
    cp_buffer_printf(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"%s-%s-%llu.%d%s\"\n", names->part, hls->epoch,
                     (unsigned long long)next_msn, next_part, names->ending);
    if (!last->n_parts && hls->n_segments > 1) /* just begun: not listed yet */
        last = cp_hls_segment(hls, hls->n_segments - 2);
    cp_buffer_printf(text, "#EXT-X-RENDITION-REPORT:URI=\"%s\",LAST-MSN=%llu,LAST-PART=%d\n",
                     NAMES[rendition == CP_HLS_VIDEO ? CP_HLS_CAPTIONS : CP_HLS_VIDEO].playlist,
                     (unsigned long long)last->msn, last->n_parts - 1);
}

struct cp_hls_body *cp_hls_media_playlist(struct cp_hls *hls, enum cp_hls_rendition rendition, bool skip)
{
    struct cp_hls_body **kept = skip ? &hls->delta_text[rendition] : &hls->full_text[rendition];
    if (*kept)
        return cp_ref_take(*kept);
    if (!hls->stats.parts)
        return NULL;
    int first = cp_hls_first_listed(hls), complete = cp_hls_complete(hls);
    int skipped = skip ? count_skipped(hls, first, complete) : 0;
    bool independent = true;
    struct cp_buffer text = cp_buffer_make(MAX_TEXT);
    for (int i = first; i < hls->n_segments; i++)
        independent &= cp_hls_segment(hls, i)->independent;
    write_header(hls, &text, cp_hls_segment(hls, first), independent);
    if (skipped)
        cp_buffer_printf(&text, "#EXT-X-SKIP:SKIPPED-SEGMENTS=%d\n", skipped);
    if (rendition == CP_HLS_VIDEO) /* all of them in delta updates, too: CAN-SKIP-DATERANGES is not said */
        cp_hls_write_ranges(hls, &text, cp_hls_segment(hls, first)->start, hls->part_start);
    for (int i = first + skipped; i < hls->n_segments; i++) {
        const struct cp_hls_segment *segment = cp_hls_segment(hls, i);
        bool new_map = i == first || segment->init.number != cp_hls_segment(hls, i - 1)->init.number;
        new_map &= rendition == CP_HLS_VIDEO;
        if (i < complete || segment->n_parts)
            write_segment(hls, &text, segment, rendition, new_map, i < complete);
    }
    write_footer(hls, &text, rendition);
    return keep(&text, kept);
}

/* A segment that was cut without a key frame is a gap, so that numbers and times stay the picture's. */
static void write_key(struct cp_hls *hls, struct cp_buffer *text, const struct cp_hls_segment *segment,
                      bool new_map)
{
    char date[32];
    cp_clock_rfc3339(segment->wall_ns, date);
    if (segment->discontinuity)
        cp_buffer_text(text, "#EXT-X-DISCONTINUITY\n");
    if (new_map)
        cp_buffer_printf(text, "#EXT-X-MAP:URI=\"init-%s-%u.mp4\"\n", hls->epoch, segment->init.number);
    cp_buffer_printf(text, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:%.5f,\n", date, SECONDS(segment->length));
    if (segment->key_bytes)
        cp_buffer_printf(text, "#EXT-X-BYTERANGE:%zu@0\n", segment->key_bytes);
    else
        cp_buffer_text(text, "#EXT-X-GAP\n");
    cp_buffer_printf(text, "seg-%s-%llu.m4s\n", hls->epoch, (unsigned long long)segment->msn);
}

/*
 * The first picture of each complete segment, for a player that winds through them (RFC 8216bis 4.4.3.6). A
 * range begins with the fragment's header, as decoders need it, and ends with the key frame: the header tells
 * of more, which a player of key frames does not ask for.
 */
struct cp_hls_body *cp_hls_keys_playlist(struct cp_hls *hls)
{
    int first = cp_hls_first_listed(hls), complete = cp_hls_complete(hls);
    if (hls->keys_text)
        return cp_ref_take(hls->keys_text);
    if (first >= complete)
        return NULL;
    struct cp_buffer text = cp_buffer_make(MAX_TEXT);
    const struct cp_hls_segment *oldest = cp_hls_segment(hls, first);
    cp_buffer_printf(&text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%lld\n#EXT-X-I-FRAMES-ONLY\n",
                     (long long)hls->target_s);
    cp_buffer_printf(&text, "#EXT-X-MEDIA-SEQUENCE:%llu\n#EXT-X-DISCONTINUITY-SEQUENCE:%llu\n",
                     (unsigned long long)oldest->msn, (unsigned long long)oldest->discontinuities);
    for (int i = first; i < complete; i++) {
        const struct cp_hls_segment *segment = cp_hls_segment(hls, i);
        write_key(hls, &text, segment,
                  i == first || segment->init.number != cp_hls_segment(hls, i - 1)->init.number);
    }
    return keep(&text, &hls->keys_text);
}
