#include "fmp4.h"

#include "media/clock.h"

#include <string.h>

enum { TRACK_VIDEO = 1, TRACK_AUDIO = 2 };

/* Sample flags (ISO 14496-12 8.8.3.1): depends on no other; depends on others and is no sync sample. */
#define FLAGS_KEY   0x02000000U
#define FLAGS_OTHER 0x01010000U

/* Opens a box; its size is filled in by end_box. */
static size_t begin_box(struct cp_buffer *out, const char *type)
{
    size_t at = out->length;
    cp_buffer_u32(out, 0);
    cp_buffer_add(out, type, 4);
    return at;
}

static size_t begin_full_box(struct cp_buffer *out, const char *type, uint8_t version, uint32_t flags)
{
    size_t at = begin_box(out, type);
    cp_buffer_u32(out, (uint32_t)version << 24 | flags);
    return at;
}

static void put_u32(struct cp_buffer *out, size_t at, uint32_t value)
{
    if (out->failed)
        return;
    for (int i = 0; i < 4; i++)
        out->data[at + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
}

static void end_box(struct cp_buffer *out, size_t at)
{
    put_u32(out, at, (uint32_t)(out->length - at));
}

static void zeros(struct cp_buffer *out, size_t count)
{
    uint8_t *to = cp_buffer_reserve(out, count);
    if (!to)
        return;
    memset(to, 0, count);
    out->length += count;
}

static void keep_parameter_set(uint8_t *to, size_t *ret_bytes, const uint8_t *nal, size_t length)
{
    if (length > CP_FMP4_MAX_PARAMETER_SET)
        return;
    memset(to, 0, CP_FMP4_MAX_PARAMETER_SET);
    memcpy(to, nal, length);
    *ret_bytes = length;
}

static void add_nal(struct cp_buffer *out, const uint8_t *nal, size_t length, struct cp_fmp4_avc *avc)
{
    while (length && !nal[length - 1]) /* trailing_zero_8bits (H.264 B.1) */
        length--;
    int type = length ? nal[0] & 0x1f : 0;
    if (type == 7 && avc) {
        keep_parameter_set(avc->sps, &avc->sps_bytes, nal, length);
    } else if (type == 8 && avc) {
        keep_parameter_set(avc->pps, &avc->pps_bytes, nal, length);
    } else if (type && type != 7 && type != 8 && type != 9) {
        cp_buffer_u32(out, (uint32_t)length);
        cp_buffer_add(out, nal, length);
    }
}

void cp_fmp4_add_unit(struct cp_buffer *out, const uint8_t *annex_b, size_t length, struct cp_fmp4_avc *avc)
{
    size_t start = 0; /* of the NAL unit being looked through; 0: none yet */
    for (size_t i = 0; i + 3 <= length;) {
        if (annex_b[i] || annex_b[i + 1] || annex_b[i + 2] != 1) {
            i++;
            continue;
        }
        if (start)
            add_nal(out, annex_b + start, i - start, avc);
        i += 3;
        start = i;
    }
    if (start)
        add_nal(out, annex_b + start, length - start, avc);
}

static void write_ftyp(struct cp_buffer *out)
{
    size_t box = begin_box(out, "ftyp");
    cp_buffer_text(out, "iso6");
    cp_buffer_u32(out, 0);
    cp_buffer_text(out, "iso6mp41");
    end_box(out, box);
}

static void write_matrix(struct cp_buffer *out)
{
    static const uint32_t IDENTITY[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (int i = 0; i < 9; i++)
        cp_buffer_u32(out, IDENTITY[i]);
}

static void write_mvhd(struct cp_buffer *out)
{
    size_t box = begin_full_box(out, "mvhd", 0, 0);
    zeros(out, 8);
    cp_buffer_u32(out, CP_SAMPLE_HZ);
    cp_buffer_u32(out, 0);       /* duration: in the fragments */
    cp_buffer_u32(out, 0x10000); /* rate 1.0 */
    cp_buffer_u16(out, 0x100);   /* volume 1.0 */
    zeros(out, 10);
    write_matrix(out);
    zeros(out, 24);
    cp_buffer_u32(out, 3); /* next track */
    end_box(out, box);
}

static void write_tkhd(struct cp_buffer *out, uint32_t track, int width, int height)
{
    size_t box = begin_full_box(out, "tkhd", 0, 3); /* enabled, in the movie */
    zeros(out, 8);
    cp_buffer_u32(out, track);
    zeros(out, 16);
    cp_buffer_u32(out, 0);                                /* layer, alternate group */
    cp_buffer_u16(out, track == TRACK_AUDIO ? 0x100 : 0); /* volume */
    zeros(out, 2);
    write_matrix(out);
    cp_buffer_u32(out, (uint32_t)width << 16);
    cp_buffer_u32(out, (uint32_t)height << 16);
    end_box(out, box);
}

static void write_mdhd_hdlr(struct cp_buffer *out, const char *handler)
{
    size_t box = begin_full_box(out, "mdhd", 0, 0);
    zeros(out, 8);
    cp_buffer_u32(out, CP_SAMPLE_HZ);
    cp_buffer_u32(out, 0);
    cp_buffer_u16(out, 0x55c4); /* "und": ISO 639-2 in three times five bits */
    cp_buffer_u16(out, 0);
    end_box(out, box);
    box = begin_full_box(out, "hdlr", 0, 0);
    cp_buffer_u32(out, 0);
    cp_buffer_text(out, handler);
    zeros(out, 12);
    cp_buffer_text(out, "Compere");
    cp_buffer_u8(out, 0);
    end_box(out, box);
}

static void write_dinf(struct cp_buffer *out)
{
    size_t dinf = begin_box(out, "dinf"), dref = begin_full_box(out, "dref", 0, 0);
    cp_buffer_u32(out, 1);
    end_box(out, begin_full_box(out, "url ", 0, 1)); /* in this file */
    end_box(out, dref);
    end_box(out, dinf);
}

/* ISO 14496-15 5.3.3.1 */
static void write_avcc(struct cp_buffer *out, const struct cp_fmp4_avc *avc)
{
    size_t box = begin_box(out, "avcC");
    cp_buffer_u8(out, 1);
    cp_buffer_add(out, avc->sps + 1, 3); /* profile, compatibility, level */
    cp_buffer_u8(out, 0xff);             /* four bytes of length */
    cp_buffer_u8(out, 0xe1);             /* one SPS */
    cp_buffer_u16(out, (uint16_t)avc->sps_bytes);
    cp_buffer_add(out, avc->sps, avc->sps_bytes);
    cp_buffer_u8(out, 1);
    cp_buffer_u16(out, (uint16_t)avc->pps_bytes);
    cp_buffer_add(out, avc->pps, avc->pps_bytes);
    end_box(out, box);
}

static void write_avc1(struct cp_buffer *out, int width, int height, const struct cp_fmp4_avc *avc)
{
    size_t entry = begin_box(out, "avc1");
    zeros(out, 6);
    cp_buffer_u16(out, 1); /* data reference */
    zeros(out, 16);
    cp_buffer_u16(out, (uint16_t)width);
    cp_buffer_u16(out, (uint16_t)height);
    cp_buffer_u32(out, 0x480000); /* 72 dpi */
    cp_buffer_u32(out, 0x480000);
    cp_buffer_u32(out, 0);
    cp_buffer_u16(out, 1); /* frames a sample */
    zeros(out, 32);
    cp_buffer_u16(out, 0x18);
    cp_buffer_u16(out, 0xffff);
    write_avcc(out, avc);
    size_t colr = begin_box(out, "colr"); /* BT.709, limited range */
    cp_buffer_text(out, "nclx");
    cp_buffer_u16(out, 1);
    cp_buffer_u16(out, 1);
    cp_buffer_u16(out, 1);
    cp_buffer_u8(out, 0);
    end_box(out, colr);
    end_box(out, entry);
}

/* ISO 14496-14 5.6 and 14496-1 7.2.6: descriptors short enough for one byte of length each. */
static void write_esds(struct cp_buffer *out, const uint8_t *aac, int aac_bytes)
{
    size_t box = begin_full_box(out, "esds", 0, 0);
    cp_buffer_u8(out, 3); /* ES descriptor */
    cp_buffer_u8(out, (uint8_t)(3 + 2 + 13 + 2 + aac_bytes + 3));
    cp_buffer_u16(out, TRACK_AUDIO);
    cp_buffer_u8(out, 0);
    cp_buffer_u8(out, 4); /* decoder configuration */
    cp_buffer_u8(out, (uint8_t)(13 + 2 + aac_bytes));
    cp_buffer_u8(out, 0x40); /* MPEG-4 audio */
    cp_buffer_u8(out, 0x15); /* audio stream */
    zeros(out, 3 + 4 + 4);   /* buffer size and rates: unknown */
    cp_buffer_u8(out, 5);    /* decoder specific */
    cp_buffer_u8(out, (uint8_t)aac_bytes);
    cp_buffer_add(out, aac, (size_t)aac_bytes);
    cp_buffer_u8(out, 6); /* sync layer: MP4's own */
    cp_buffer_u8(out, 1);
    cp_buffer_u8(out, 2);
    end_box(out, box);
}

static void write_mp4a(struct cp_buffer *out, const uint8_t *aac, int aac_bytes)
{
    /* AudioSpecificConfig (ISO 14496-3 1.6.2.1): type 5 bits, rate 4 bits, channels 4 bits */
    int channels = aac_bytes >= 2 ? (aac[1] >> 3) & 15 : 1;
    size_t entry = begin_box(out, "mp4a");
    zeros(out, 6);
    cp_buffer_u16(out, 1);
    zeros(out, 8);
    cp_buffer_u16(out, (uint16_t)channels);
    cp_buffer_u16(out, 16);
    zeros(out, 4);
    cp_buffer_u32(out, (uint32_t)CP_SAMPLE_HZ << 16);
    write_esds(out, aac, aac_bytes);
    end_box(out, entry);
}

/* The rest of a sample table: empty, since all samples are in fragments. */
static void write_empty_tables(struct cp_buffer *out)
{
    static const char *const TABLE[] = {"stts", "stsc", "stco"};
    for (int i = 0; i < 3; i++) {
        size_t box = begin_full_box(out, TABLE[i], 0, 0);
        cp_buffer_u32(out, 0);
        end_box(out, box);
    }
    size_t box = begin_full_box(out, "stsz", 0, 0);
    zeros(out, 8);
    end_box(out, box);
}

static void write_video_track(struct cp_buffer *out, int width, int height, const struct cp_fmp4_avc *avc)
{
    size_t trak = begin_box(out, "trak");
    write_tkhd(out, TRACK_VIDEO, width, height);
    size_t mdia = begin_box(out, "mdia");
    write_mdhd_hdlr(out, "vide");
    size_t minf = begin_box(out, "minf");
    size_t vmhd = begin_full_box(out, "vmhd", 0, 1);
    zeros(out, 8);
    end_box(out, vmhd);
    write_dinf(out);
    size_t stbl = begin_box(out, "stbl"), stsd = begin_full_box(out, "stsd", 0, 0);
    cp_buffer_u32(out, 1);
    write_avc1(out, width, height, avc);
    end_box(out, stsd);
    write_empty_tables(out);
    end_box(out, stbl);
    end_box(out, minf);
    end_box(out, mdia);
    end_box(out, trak);
}

static void write_audio_track(struct cp_buffer *out, const uint8_t *aac, int aac_bytes)
{
    size_t trak = begin_box(out, "trak");
    write_tkhd(out, TRACK_AUDIO, 0, 0);
    size_t mdia = begin_box(out, "mdia");
    write_mdhd_hdlr(out, "soun");
    size_t minf = begin_box(out, "minf");
    size_t smhd = begin_full_box(out, "smhd", 0, 0);
    zeros(out, 4);
    end_box(out, smhd);
    write_dinf(out);
    size_t stbl = begin_box(out, "stbl"), stsd = begin_full_box(out, "stsd", 0, 0);
    cp_buffer_u32(out, 1);
    write_mp4a(out, aac, aac_bytes);
    end_box(out, stsd);
    write_empty_tables(out);
    end_box(out, stbl);
    end_box(out, minf);
    end_box(out, mdia);
    end_box(out, trak);
}

static void write_trex(struct cp_buffer *out, uint32_t track)
{
    size_t box = begin_full_box(out, "trex", 0, 0);
    cp_buffer_u32(out, track);
    cp_buffer_u32(out, 1); /* sample description */
    zeros(out, 12);
    end_box(out, box);
}

void cp_fmp4_write_init(struct cp_buffer *out, int width, int height, const struct cp_fmp4_avc *avc,
                        const uint8_t *aac, int aac_bytes)
{
    write_ftyp(out);
    size_t moov = begin_box(out, "moov");
    write_mvhd(out);
    write_video_track(out, width, height, avc);
    if (aac_bytes)
        write_audio_track(out, aac, aac_bytes);
    size_t mvex = begin_box(out, "mvex");
    write_trex(out, TRACK_VIDEO);
    if (aac_bytes)
        write_trex(out, TRACK_AUDIO);
    end_box(out, mvex);
    end_box(out, moov);
}

/* Returns where the data offset stands, which is known when the moof is complete. */
static size_t write_traf(struct cp_buffer *out, uint32_t track, const struct cp_fmp4_run *run)
{
    size_t traf = begin_box(out, "traf");
    size_t box = begin_full_box(out, "tfhd", 0, 0x020000); /* offsets count from the moof */
    cp_buffer_u32(out, track);
    end_box(out, box);
    box = begin_full_box(out, "tfdt", 1, 0);
    cp_buffer_u64(out, (uint64_t)run->samples[0].at);
    end_box(out, box);
    /* data offset; each sample's duration, size and flags */
    box = begin_full_box(out, "trun", 0, 0x000001 | 0x000100 | 0x000200 | 0x000400);
    cp_buffer_u32(out, (uint32_t)run->n_samples);
    size_t offset_at = out->length;
    cp_buffer_u32(out, 0);
    for (int i = 0; i < run->n_samples; i++) {
        const struct cp_fmp4_sample *sample = &run->samples[i];
        int64_t next = i + 1 < run->n_samples ? run->samples[i + 1].at : run->end;
        cp_buffer_u32(out, (uint32_t)(next > sample->at ? next - sample->at : sample->length));
        cp_buffer_u32(out, sample->bytes);
        cp_buffer_u32(out, sample->key ? FLAGS_KEY : FLAGS_OTHER);
    }
    end_box(out, box);
    end_box(out, traf);
    return offset_at;
}

void cp_fmp4_write_fragment_head(struct cp_buffer *out, uint32_t number, const struct cp_fmp4_run *video,
                                 const struct cp_fmp4_run *audio)
{
    size_t moof = begin_box(out, "moof"), box = begin_full_box(out, "mfhd", 0, 0);
    size_t video_at = 0, audio_at = 0;
    cp_buffer_u32(out, number);
    end_box(out, box);
    if (video->n_samples)
        video_at = write_traf(out, TRACK_VIDEO, video);
    if (audio->n_samples)
        audio_at = write_traf(out, TRACK_AUDIO, audio);
    end_box(out, moof);
    uint32_t data_at = (uint32_t)(out->length - moof) + 8;
    if (video_at)
        put_u32(out, video_at, data_at);
    if (audio_at)
        put_u32(out, audio_at, data_at + (uint32_t)video->bytes);
    cp_buffer_u32(out, (uint32_t)(8 + video->bytes + audio->bytes));
    cp_buffer_text(out, "mdat");
}

void cp_fmp4_write_index(struct cp_buffer *out, const struct cp_fmp4_stretch *stretches, int n)
{
    size_t box = begin_full_box(out, "sidx", 1, 0);
    cp_buffer_u32(out, TRACK_VIDEO);
    cp_buffer_u32(out, CP_SAMPLE_HZ);
    cp_buffer_u64(out, 0); /* earliest presentation time */
    cp_buffer_u64(out, 0); /* the first stretch follows this box */
    cp_buffer_u16(out, 0);
    cp_buffer_u16(out, (uint16_t)n);
    for (int i = 0; i < n; i++) {
        cp_buffer_u32(out, stretches[i].bytes & 0x7fffffff);
        cp_buffer_u32(out, stretches[i].samples);
        cp_buffer_u32(out, stretches[i].key ? 0x90000000u : 0); /* starts with a SAP of type 1 */
    }
    end_box(out, box);
}

/* --- moving in time --- */

static uint64_t read_be(const uint8_t *at, int n_bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < n_bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* Containers are entered, tfdt boxes of version 1 moved, all others passed over. */
static bool shift_boxes(uint8_t *data, size_t length, int64_t by_samples, int depth)
{
    for (size_t at = 0, size; at < length; at += size) {
        uint8_t *box = data + at;
        if (length - at < 8 || (size = read_be(box, 4)) < 8 || size > length - at)
            return false;
        if (!memcmp(box + 4, depth ? "traf" : "moof", 4)) {
            if (depth > 1 || !shift_boxes(box + 8, size - 8, by_samples, depth + 1))
                return false;
        } else if (!memcmp(box + 4, "tfdt", 4)) {
            if (size != 20 || box[8] != 1)
                return false;
            uint64_t moved = read_be(box + 12, 8) + (uint64_t)by_samples;
            if (moved > INT64_MAX)
                moved = 0;
            for (int i = 0; i < 8; i++)
                box[12 + i] = (uint8_t)(moved >> (56 - 8 * i));
        }
    }
    return true;
}

bool cp_fmp4_shift(uint8_t *data, size_t length, int64_t by_samples)
{
    return shift_boxes(data, length, by_samples, 0);
}
