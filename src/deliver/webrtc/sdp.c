#include "deliver/webrtc/sdp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE          "webrtc"
#define URI_MID        "urn:ietf:params:rtp-hdrext:sdes:mid"
#define URI_PLAYOUT    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
#define MAX_LINE_BYTES 2048

/* Attributes that stand before the first m= line hold for all sections. */
struct parser {
    struct cp_sdp_offer *offer;
    struct cp_sdp_section *section; /* NULL at session level */
    bool session_receives;
};

/* The rest of the line when it starts with `name`. */
static const char *after(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) ? NULL : line + n;
}

static void copy_token(char *out, size_t capacity, const char *text)
{
    size_t n = strcspn(text, " \t");
    if (n >= capacity)
        n = 0; /* a cut identifier would be another one */
    memcpy(out, text, n);
    out[n] = 0;
}

static struct cp_sdp_format *find_format(struct cp_sdp_section *section, int payload_type)
{
    for (int i = 0; i < section->n_formats; i++)
        if (section->formats[i].payload_type == payload_type)
            return &section->formats[i];
    return NULL;
}

static struct cp_sdp_format *format_of(struct cp_sdp_section *section, const char *text,
                                       const char **ret_rest)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end != ' ' || number < 0 || number > 127)
        return NULL;
    *ret_rest = end + 1;
    return find_format(section, (int)number);
}

/* "video 9 UDP/TLS/RTP/SAVPF 96 97" */
static int read_media(struct parser *parser, const char *value, struct cp_error *error)
{
    struct cp_sdp_offer *offer = parser->offer;
    if (offer->n_sections == CP_SDP_MAX_SECTIONS)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "the offer has more than %d media sections",
                       CP_SDP_MAX_SECTIONS);
    struct cp_sdp_section *section = &offer->sections[offer->n_sections];
    memset(section, 0, sizeof *section);
    unsigned port;
    int used = 0;
    if (sscanf(value, "%23s %u %31s %n", section->media, &port, section->protocol, &used) != 3 || !used ||
        port > 65535)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has a malformed m= line: \"%.60s\"", value);
    section->kind = !strcmp(section->media, "video")   ? CP_SDP_VIDEO
                    : !strcmp(section->media, "audio") ? CP_SDP_AUDIO
                                                       : CP_SDP_OTHER;
    section->format = -1;
    section->offered = port != 0;
    section->receives = parser->session_receives;
    copy_token(section->first_format, sizeof section->first_format, value + used);
    if (section->kind != CP_SDP_OTHER) {
        for (const char *p = value + used; *p && section->n_formats < CP_SDP_MAX_FORMATS;) {
            char *end;
            long number = strtol(p, &end, 10);
            if (end == p || number < 0 || number > 127)
                break;
            section->formats[section->n_formats++].payload_type = (int)number;
            p = end;
        }
    }
    parser->section = section;
    offer->n_sections++;
    return 0;
}

/* "sha-256 AB:CD:..." */
static int read_fingerprint(struct cp_sdp_offer *offer, const char *value, struct cp_error *error)
{
    size_t name = strcspn(value, " "), n = 0;
    if (name >= sizeof offer->fingerprint_hash || !value[name])
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has a malformed a=fingerprint line");
    for (const char *p = value + name + 1;; p += 3) {
        if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
            n == sizeof offer->fingerprint)
            return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has a malformed a=fingerprint line");
        offer->fingerprint[n++] = (uint8_t)strtoul((char[]){p[0], p[1], 0}, NULL, 16);
        if (p[2] == 0 || p[2] == ' ')
            break;
        if (p[2] != ':')
            return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has a malformed a=fingerprint line");
    }
    offer->fingerprint_bytes = n;
    for (size_t i = 0; i < name; i++)
        offer->fingerprint_hash[i] = (char)tolower((unsigned char)value[i]);
    offer->fingerprint_hash[name] = 0;
    return 0;
}

/* "96 H264/90000" or "111 opus/48000/2" */
static void read_rtpmap(struct cp_sdp_section *section, const char *value)
{
    const char *rest;
    struct cp_sdp_format *format = format_of(section, value, &rest);
    if (!format)
        return;
    int hz = 0, channels = 1;
    char codec[sizeof format->codec];
    if (sscanf(rest, "%15[^/ ]/%9d/%3d", codec, &hz, &channels) < 2)
        return;
    memcpy(format->codec, codec, sizeof codec);
    format->clock_hz = hz;
    format->channels = channels;
}

static void add_feedback(struct cp_sdp_format *format, const char *kind)
{
    format->nack |= !strcmp(kind, "nack");
    format->nack_pli |= !strcmp(kind, "nack pli");
    format->ccm_fir |= !strcmp(kind, "ccm fir");
}

/* "96 nack pli"; "*" means all formats (RFC 4585 section 4.2). */
static void read_feedback(struct cp_sdp_section *section, const char *value)
{
    const char *rest;
    if (value[0] == '*' && value[1] == ' ') {
        for (int i = 0; i < section->n_formats; i++)
            add_feedback(&section->formats[i], value + 2);
        return;
    }
    struct cp_sdp_format *format = format_of(section, value, &rest);
    if (format)
        add_feedback(format, rest);
}

/* "3 URI" or "3/recvonly URI". Only ids that the one-byte form can carry (RFC 8285 section 4.2). */
static void read_extension(struct cp_sdp_section *section, const char *value)
{
    char *end;
    long id = strtol(value, &end, 10);
    const char *uri = strchr(value, ' ');
    if (end == value || id < 1 || id > 14 || !uri)
        return;
    uri++;
    size_t n = strcspn(uri, " ");
    if (n == strlen(URI_MID) && !strncmp(uri, URI_MID, n))
        section->mid_extension = (int)id;
    else if (n == strlen(URI_PLAYOUT) && !strncmp(uri, URI_PLAYOUT, n) && section->kind == CP_SDP_VIDEO)
        section->playout_delay_extension = (int)id;
}

static bool read_direction(const char *name, bool *receives)
{
    if (!strcmp(name, "recvonly") || !strcmp(name, "sendrecv"))
        *receives = true;
    else if (!strcmp(name, "sendonly") || !strcmp(name, "inactive"))
        *receives = false;
    else
        return false;
    return true;
}

static void read_section_attribute(struct cp_sdp_section *section, const char *name)
{
    const char *value;
    if ((value = after(name, "mid:")))
        copy_token(section->mid, sizeof section->mid, value);
    else if ((value = after(name, "rtpmap:")))
        read_rtpmap(section, value);
    else if ((value = after(name, "rtcp-fb:")))
        read_feedback(section, value);
    else if ((value = after(name, "extmap:")))
        read_extension(section, value);
    else if (!strcmp(name, "rtcp-mux"))
        section->rtcp_mux = true;
    else if (!strcmp(name, "rtcp-rsize"))
        section->rtcp_rsize = true;
    else if (!strcmp(name, "bundle-only"))
        section->offered = true;
    else if ((value = after(name, "fmtp:"))) {
        const char *rest;
        struct cp_sdp_format *format = format_of(section, value, &rest);
        if (format && strlen(rest) < sizeof format->fmtp)
            memcpy(format->fmtp, rest, strlen(rest) + 1);
    }
}

static int read_attribute(struct parser *parser, const char *name, struct cp_error *error)
{
    struct cp_sdp_offer *offer = parser->offer;
    const char *value;
    if (read_direction(name, parser->section ? &parser->section->receives : &parser->session_receives))
        return 0;
    /* With BUNDLE all sections have the same transport: the first that says it counts. */
    if ((value = after(name, "ice-ufrag:"))) {
        if (!*offer->ice_ufrag)
            copy_token(offer->ice_ufrag, sizeof offer->ice_ufrag, value);
    } else if ((value = after(name, "ice-pwd:"))) {
        if (!*offer->ice_pwd)
            copy_token(offer->ice_pwd, sizeof offer->ice_pwd, value);
    } else if ((value = after(name, "fingerprint:"))) {
        return offer->fingerprint_bytes ? 0 : read_fingerprint(offer, value, error);
    } else if ((value = after(name, "setup:"))) {
        offer->setup_passive |= !strcmp(value, "passive");
    } else if ((value = after(name, "group:BUNDLE"))) {
        if (!parser->section && !*offer->bundle && strlen(value) < sizeof offer->bundle - 1)
            snprintf(offer->bundle, sizeof offer->bundle, "%s ", value);
    } else if (parser->section) {
        read_section_attribute(parser->section, name);
    }
    return 0;
}

static bool in_bundle(const struct cp_sdp_offer *offer, const char *mid)
{
    char word[CP_SDP_TOKEN_BYTES + 3];
    snprintf(word, sizeof word, " %s ", mid);
    return *mid && strstr(offer->bundle, word);
}

/* The value of one fmtp parameter; NULL when absent. */
static const char *parameter(const char *fmtp, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = fmtp; *p; p += strcspn(p, ";"), p += *p == ';') {
        p += strspn(p, " ");
        if (!strncasecmp(p, name, n) && p[n] == '=')
            return p + n + 1;
    }
    return NULL;
}

int cp_sdp_h264_rank(const char *fmtp)
{
    const char *mode = parameter(fmtp, "packetization-mode"), *profile = parameter(fmtp, "profile-level-id");
    /* Mode 0 allows no fragments, so a large picture could not be sent. */
    if (!mode || mode[0] != '1' || isdigit((unsigned char)mode[1]) || !profile)
        return 0;
    for (int i = 0; i < 6; i++)
        if (!isxdigit((unsigned char)profile[i]))
            return 0;
    unsigned long id = strtoul(
        (char[]){profile[0], profile[1], profile[2], profile[3], profile[4], profile[5], 0}, NULL, 16);
    unsigned idc = (unsigned)(id >> 16), constraints = (unsigned)(id >> 8) & 0xff;
    /* Table 5 of RFC 6184: constrained baseline first, then those profiles whose decoders take it. */
    if (idc == 0x42 && constraints & 0x40)
        return 4;
    if (idc == 0x42)
        return 3;
    if (idc == 0x4d)
        return 2;
    return idc == 0x64 ? 1 : 0;
}

static bool is_codec(const struct cp_sdp_format *format, const char *codec, int clock_hz)
{
    return !strcasecmp(format->codec, codec) && format->clock_hz == clock_hz;
}

static void choose_format(struct cp_sdp_section *section)
{
    int best = 0;
    for (int i = 0; i < section->n_formats; i++) {
        const struct cp_sdp_format *format = &section->formats[i];
        int rank = 0;
        if (section->kind == CP_SDP_VIDEO && is_codec(format, "H264", 90000))
            rank = cp_sdp_h264_rank(format->fmtp);
        else if (section->kind == CP_SDP_AUDIO && is_codec(format, "opus", 48000) && format->channels == 2)
            rank = 1;
        if (rank > best) {
            best = rank;
            section->format = i;
        }
    }
}

/* Takes the first video and the first audio section that we can send on the bundled transport. */
static void choose_sections(struct cp_sdp_offer *offer)
{
    offer->video = offer->audio = -1;
    for (int i = 0; i < offer->n_sections; i++) {
        struct cp_sdp_section *section = &offer->sections[i];
        int *place = section->kind == CP_SDP_VIDEO   ? &offer->video
                     : section->kind == CP_SDP_AUDIO ? &offer->audio
                                                     : NULL;
        section->bundled = in_bundle(offer, section->mid);
        bool alone = !*offer->bundle && offer->n_sections == 1;
        if (!place || *place >= 0 || !section->offered || !section->receives || !section->rtcp_mux ||
            !(section->bundled || alone) || !strstr(section->protocol, "RTP/SAVP"))
            continue;
        choose_format(section);
        if (section->format >= 0)
            *place = i;
    }
}

/* Copies the next line without its end; false at the end of the text. */
static bool next_line(const char **text, const char *end, char *line, size_t capacity)
{
    if (*text == end)
        return false;
    const char *stop = memchr(*text, '\n', (size_t)(end - *text));
    size_t n = (size_t)((stop ? stop : end) - *text);
    const char *next = stop ? stop + 1 : end;
    if (n && (*text)[n - 1] == '\r')
        n--;
    /* No line that we read is so long; and what we repeat in the answer must stay one line. */
    if (n >= capacity || memchr(*text, '\r', n) || memchr(*text, 0, n))
        n = 0;
    memcpy(line, *text, n);
    line[n] = 0;
    *text = next;
    return true;
}

int cp_sdp_parse(const char *text, size_t length, struct cp_sdp_offer *ret_offer, struct cp_error *error)
{
    const char *end = text + length;
    char line[MAX_LINE_BYTES];
    struct parser parser = {.offer = ret_offer, .session_receives = true};
    if (length > CP_SDP_MAX_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "an offer may have %d bytes", CP_SDP_MAX_BYTES);
    memset(ret_offer, 0, sizeof *ret_offer);
    if (!next_line(&text, end, line, sizeof line) || strcmp(line, "v=0"))
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the body is not an SDP offer: it must start with v=0");
    while (next_line(&text, end, line, sizeof line)) {
        int err = 0;
        if (line[0] == 'm' && line[1] == '=')
            err = read_media(&parser, line + 2, error);
        else if (line[0] == 'a' && line[1] == '=')
            err = read_attribute(&parser, line + 2, error);
        if (err)
            return err;
    }
    if (strlen(ret_offer->ice_ufrag) < 4 || strlen(ret_offer->ice_pwd) < 22)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has no a=ice-ufrag and a=ice-pwd");
    if (!ret_offer->fingerprint_bytes)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the offer has no a=fingerprint: DTLS is required");
    if (ret_offer->setup_passive)
        return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE,
                       "the offer says a=setup:passive; offer actpass or active");
    choose_sections(ret_offer);
    if (ret_offer->video < 0)
        return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE,
                       "the offer has no H.264 with packetization-mode=1 in a bundled section that receives "
                       "video with rtcp-mux");
    return 0;
}

static void write_section_codec(struct cp_buffer *out, const struct cp_sdp_format *format)
{
    int pt = format->payload_type;
    cp_buffer_printf(out, "a=rtpmap:%d %s/%d%s\r\n", pt, format->codec, format->clock_hz,
                     format->channels == 2 ? "/2" : "");
    if (*format->fmtp)
        cp_buffer_printf(out, "a=fmtp:%d %s\r\n", pt, format->fmtp);
    if (format->nack)
        cp_buffer_printf(out, "a=rtcp-fb:%d nack\r\n", pt);
    if (format->nack_pli)
        cp_buffer_printf(out, "a=rtcp-fb:%d nack pli\r\n", pt);
    if (format->ccm_fir)
        cp_buffer_printf(out, "a=rtcp-fb:%d ccm fir\r\n", pt);
}

static void write_section(struct cp_buffer *out, const struct cp_sdp_section *section,
                          const struct cp_sdp_answer *answer, bool first, bool taken)
{
    if (!taken) {
        cp_buffer_printf(out, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", section->media,
                         section->protocol, *section->first_format ? section->first_format : "0");
        if (*section->mid)
            cp_buffer_printf(out, "a=mid:%s\r\n", section->mid);
        return;
    }
    const struct cp_sdp_format *format = &section->formats[section->format];
    bool video = section->kind == CP_SDP_VIDEO;
    uint32_t ssrc = video ? answer->video_ssrc : answer->audio_ssrc;
    cp_buffer_printf(out, "m=%s 9 %s %d\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n", section->media,
                     section->protocol, format->payload_type);
    cp_buffer_printf(out, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:passive\r\n",
                     answer->ice_ufrag, answer->ice_pwd, answer->fingerprint);
    if (*section->mid)
        cp_buffer_printf(out, "a=mid:%s\r\n", section->mid);
    if (section->mid_extension)
        cp_buffer_printf(out, "a=extmap:%d %s\r\n", section->mid_extension, URI_MID);
    if (section->playout_delay_extension)
        cp_buffer_printf(out, "a=extmap:%d %s\r\n", section->playout_delay_extension, URI_PLAYOUT);
    cp_buffer_printf(out, "a=sendonly\r\na=msid:%s %s\r\na=rtcp-mux\r\n", answer->cname,
                     video ? "video" : "audio");
    if (section->rtcp_rsize)
        cp_buffer_text(out, "a=rtcp-rsize\r\n");
    write_section_codec(out, format);
    cp_buffer_printf(out, "a=ssrc:%u cname:%s\r\na=ssrc:%u msid:%s %s\r\n", ssrc, answer->cname, ssrc,
                     answer->cname, video ? "video" : "audio");
    if (first)
        cp_sdp_write_candidates(out, answer->candidates, answer->n_candidates);
}

void cp_sdp_write_candidates(struct cp_buffer *out, const struct cp_address *candidates, int n_candidates)
{
    for (int i = 0; i < n_candidates; i++) {
        char ip[CP_ADDRESS_TEXT_BYTES];
        cp_address_text(&candidates[i], ip);
        /* RFC 8445 section 5.1.2.1: host type preference 126, component 1. */
        uint32_t priority = 126u << 24 | (uint32_t)(65535 - i) << 8 | 255u;
        cp_buffer_printf(out, "a=candidate:%d 1 udp %u %s %u typ host\r\n", i + 1, priority, ip,
                         cp_address_port(&candidates[i]));
    }
    cp_buffer_text(out, "a=end-of-candidates\r\n");
}

void cp_sdp_write(struct cp_buffer *out, const struct cp_sdp_offer *offer, const struct cp_sdp_answer *answer)
{
    cp_buffer_printf(out, "v=0\r\no=- %llu 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
                     (unsigned long long)(answer->session_number >> 1));
    if (*offer->bundle) {
        cp_buffer_text(out, "a=group:BUNDLE");
        for (int i = 0; i < offer->n_sections; i++)
            if (i == offer->video || i == offer->audio)
                cp_buffer_printf(out, " %s", offer->sections[i].mid);
        cp_buffer_text(out, "\r\n");
    }
    cp_buffer_printf(out, "a=ice-lite\r\na=msid-semantic: WMS %s\r\n", answer->cname);
    bool first = true;
    for (int i = 0; i < offer->n_sections; i++) {
        bool taken = i == offer->video || i == offer->audio;
        write_section(out, &offer->sections[i], answer, first, taken);
        first &= !taken;
    }
}

int cp_sdp_parse_fragment(const char *text, size_t length, char ret_ufrag[CP_ICE_TOKEN_BYTES],
                          char ret_pwd[CP_ICE_TOKEN_BYTES], struct cp_error *error)
{
    const char *end = text + length, *value;
    char line[MAX_LINE_BYTES], ufrag[CP_ICE_TOKEN_BYTES] = "", pwd[CP_ICE_TOKEN_BYTES] = "";
    bool any = false;
    if (length > CP_SDP_MAX_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "a fragment may have %d bytes", CP_SDP_MAX_BYTES);
    while (next_line(&text, end, line, sizeof line)) {
        if (line[0] && line[1] != '=')
            return cp_fail(error, CP_ERR_FORMAT, STAGE, "the body is not a trickle ICE fragment");
        any |= line[0];
        if ((value = after(line, "a=ice-ufrag:")) && !*ufrag)
            copy_token(ufrag, sizeof ufrag, value);
        else if ((value = after(line, "a=ice-pwd:")) && !*pwd)
            copy_token(pwd, sizeof pwd, value);
    }
    if (!any)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "the fragment is empty");
    memcpy(ret_ufrag, ufrag, sizeof ufrag);
    memcpy(ret_pwd, pwd, sizeof pwd);
    return 0;
}
