#include "client.h"

#include "base/clock.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/stun.h"

#include <arpa/inet.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK_NS  (20 * CP_NS_PER_MS)
#define REPORT_NS (300 * CP_NS_PER_MS)

static SSL_CTX *context;
static char fingerprint[100];
static uint8_t last_rtcp[256];
static size_t last_rtcp_bytes;

static int accept_any(int ok, X509_STORE_CTX *store)
{
    return 1;
}

bool client_setup(void)
{
    uint8_t digest[32];
    unsigned n = 0;
    if (context)
        return true;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    X509_digest(certificate, EVP_sha256(), digest, &n);
    for (unsigned i = 0; i < n; i++)
        sprintf(fingerprint + 3 * i, i + 1 < n ? "%02X:" : "%02X", digest[i]);
    context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return srtp_init() == srtp_err_status_ok;
}

struct client *client_create(const struct client_options *options)
{
    struct client *client = calloc(1, sizeof *client);
    if (options)
        client->options = *options;
    RAND_bytes((uint8_t *)&client->own_ssrc, sizeof client->own_ssrc);
    snprintf(client->ufrag, sizeof client->ufrag, "c%08x", client->own_ssrc);
    client->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int size = 4 << 20;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    client->ssl = SSL_new(context);
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(client->in, -1);
    BIO_set_mem_eof_return(client->out, -1);
    SSL_set_bio(client->ssl, client->in, client->out);
    SSL_set_connect_state(client->ssl);
    DTLS_set_link_mtu(client->ssl, 1200);
    SSL_set_tlsext_use_srtp(client->ssl, client->options.srtp_profiles
                                             ? client->options.srtp_profiles
                                             : "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
    return client;
}

void client_destroy(struct client *client)
{
    if (!client)
        return;
    SSL_free(client->ssl);
    if (client->srtp_in)
        srtp_dealloc(client->srtp_in);
    if (client->srtp_out)
        srtp_dealloc(client->srtp_out);
    close(client->fd);
    free(client);
}

const char *client_offer(struct client *client)
{
    static char text[4096];
    char wrong[sizeof fingerprint];
    memcpy(wrong, fingerprint, sizeof wrong);
    wrong[0] = wrong[0] == '0' ? '1' : '0';
    int n = snprintf(
        text, sizeof text,
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0%s\r\n"
        "a=ice-ufrag:%s\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 %s\r\n"
        "a=setup:actpass\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n"
        "a=rtcp-mux\r\na=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
        "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtpmap:102 H264/90000\r\n"
        "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\na=rtcp-fb:102 nack\r\n"
        "a=rtcp-fb:102 nack pli\r\n",
        client->options.no_audio ? "" : " 1", client->ufrag,
        client->options.wrong_fingerprint ? wrong : fingerprint);
    if (!client->options.no_audio)
        snprintf(text + n, sizeof text - (size_t)n,
                 "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\n"
                 "a=rtcp-mux\r\na=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                 "a=rtpmap:111 opus/48000/2\r\n");
    return text;
}

/* The word behind `name`, in or after `from`. */
static bool word_after(const char *from, const char *name, char *out, size_t capacity)
{
    const char *at = from ? strstr(from, name) : NULL;
    if (!at)
        return false;
    at += strlen(name);
    size_t n = strcspn(at, " \r\n");
    if (n >= capacity)
        return false;
    memcpy(out, at, n);
    out[n] = 0;
    return true;
}

bool client_take_answer(struct client *client, const char *answer)
{
    char candidate[64], port[8], number[16];
    const char *audio = strstr(answer, "m=audio"), *line = answer;
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (!word_after(answer, "a=ice-ufrag:", client->server_ufrag, sizeof client->server_ufrag) ||
        !word_after(answer, "a=ice-pwd:", client->server_pwd, sizeof client->server_pwd))
        return false;
    while ((line = strstr(line, "a=candidate:"))) { /* the first of IPv4 */
        if (sscanf(line++, "a=candidate:%*s 1 udp %*s %63s %7s", candidate, port) == 2 &&
            inet_pton(AF_INET, candidate, &to.sin_addr) == 1)
            break;
    }
    if (!line)
        return false;
    if (word_after(answer, "a=ssrc:", number, sizeof number))
        client->video_ssrc = (uint32_t)strtoul(number, NULL, 10);
    if (word_after(audio, "a=ssrc:", number, sizeof number))
        client->audio_ssrc = (uint32_t)strtoul(number, NULL, 10);
    client->video_pt = 102;
    client->audio_pt = 111;
    client->playout_id = 5;
    client->mid_id = 9;
    to.sin_port = htons((uint16_t)atoi(port));
    return !connect(client->fd, (struct sockaddr *)&to, sizeof to);
}

void client_restart(struct client *client, const char *server_ufrag, const char *server_pwd)
{
    snprintf(client->server_ufrag, sizeof client->server_ufrag, "%s", server_ufrag);
    snprintf(client->server_pwd, sizeof client->server_pwd, "%s", server_pwd);
    client->checks_answered = 0;
    client->next_check_ns = 0;
}

/* --- ICE --- */

static size_t put_attribute(uint8_t *out, size_t n, unsigned type, const void *value, size_t length)
{
    cp_put16(out + n, type);
    cp_put16(out + n + 2, (unsigned)length);
    memset(out + n + 4, 0, (length + 3) & ~(size_t)3);
    if (value)
        memcpy(out + n + 4, value, length);
    return n + 4 + ((length + 3) & ~(size_t)3);
}

static void send_check(struct client *client)
{
    uint8_t out[256] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, mac[20], crc[4];
    uint8_t tie_breaker[8] = {1, 2, 3, 4, 5, 6, 7, 8}, priority[4] = {0x6e, 0, 1, 0xff};
    char username[128];
    unsigned mac_bytes = sizeof mac;
    bool wrong_role = client->options.wrong_role && !client->role_conflicts;
    cp_put32(out + 8, client->own_ssrc);
    cp_put32(out + 16, ++client->transaction);
    int length = snprintf(username, sizeof username, "%s:%s", client->server_ufrag, client->ufrag);
    size_t n = put_attribute(out, 20, 0x0006, username, (size_t)length);
    n = put_attribute(out, n, 0x0024, priority, sizeof priority);
    n = put_attribute(out, n, wrong_role ? 0x8029 : 0x802a, tie_breaker, sizeof tie_breaker);
    if (!wrong_role)
        n = put_attribute(out, n, 0x0025, NULL, 0);
    cp_put16(out + 2, (unsigned)(n + 24 - 20));
    HMAC(EVP_sha1(), client->server_pwd, (int)strlen(client->server_pwd), out, n, mac, &mac_bytes);
    n = put_attribute(out, n, 0x0008, mac, sizeof mac);
    cp_put16(out + 2, (unsigned)(n + 8 - 20));
    cp_put32(crc, cp_stun_crc32(out, n) ^ 0x5354554e);
    n = put_attribute(out, n, 0x8028, crc, sizeof crc);
    send(client->fd, out, n, 0);
}

static void on_stun(struct client *client, const uint8_t *data, size_t length)
{
    struct cp_stun_message message;
    if (cp_stun_parse(data, length, &message) || !cp_stun_authentic(data, &message, client->server_pwd))
        return;
    if (message.type == CP_STUN_BINDING_SUCCESS)
        client->checks_answered++;
    else if (message.type == CP_STUN_BINDING_ERROR && data[26] == 4 && data[27] == 87)
        client->role_conflicts++;
}

/* --- DTLS --- */

static srtp_t open_srtp(struct client *client, const uint8_t *key, const uint8_t *salt, size_t salt_bytes,
                        srtp_ssrc_type_t type)
{
    uint8_t both[30];
    srtp_t srtp = NULL;
    srtp_policy_t policy = {.ssrc = {.type = type}, .key = both, .window_size = 1024, .allow_repeat_tx = 1};
    memcpy(both, key, 16);
    memcpy(both + 16, salt, salt_bytes);
    if (client->gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    }
    return srtp_create(&srtp, &policy) == srtp_err_status_ok ? srtp : NULL;
}

static void open_media(struct client *client)
{
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    uint8_t m[60];
    client->gcm = SSL_get_selected_srtp_profile(client->ssl)->id == SRTP_AEAD_AES_128_GCM;
    size_t salt = client->gcm ? 12 : 14;
    SSL_export_keying_material(client->ssl, m, 32 + 2 * salt, LABEL, strlen(LABEL), NULL, 0, 0);
    client->srtp_out = open_srtp(client, m, m + 32, salt, ssrc_any_outbound);
    client->srtp_in = open_srtp(client, m + 16, m + 32 + salt, salt, ssrc_any_inbound);
    client->connected = client->srtp_in && client->srtp_out;
}

static void flush_dtls(struct client *client)
{
    uint8_t out[8192];
    int n = BIO_read(client->out, out, sizeof out);
    for (int at = 0; at + 13 <= n;) { /* one record a datagram: a message in two of them is the rule */
        int record = 13 + cp_get16(out + at + 11);
        if (!(client->options.lose_first_flight && client->lost_flights++ == 0))
            send(client->fd, out + at, (size_t)record, 0);
        at += record;
    }
}

static void on_dtls(struct client *client, const uint8_t *data, size_t length)
{
    /* The server's last flight starts with ChangeCipherSpec. */
    if (client->options.lose_last_flight && data[0] == 20 && client->lost_flights++ == 0)
        return;
    BIO_write(client->in, data, (int)length);
    if (!client->connected) {
        if (SSL_do_handshake(client->ssl) == 1)
            open_media(client);
    } else {
        uint8_t byte;
        SSL_read(client->ssl, &byte, 1);
    }
    if (SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN)
        client->closed = true;
    flush_dtls(client);
}

/* --- media --- */

size_t client_make_frame(uint8_t *out, size_t bytes, bool key, unsigned seed)
{
    static const uint8_t SETS[] = {0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c,
                                   0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80};
    size_t n = 0, body;
    if (key) {
        memcpy(out, SETS, sizeof SETS);
        n = sizeof SETS;
    }
    memcpy(out + n, "\0\0\0\1", 4);
    out[n + 4] = key ? 0x65 : 0x41;
    n += 5;
    body = n + 8;
    for (size_t i = 0; i < bytes; i++)
        out[body + i] = (uint8_t)(1 + (i * 7 + seed * 13) % 255); /* never 0: no start codes */
    char checksum[9];
    snprintf(checksum, sizeof checksum, "%08x", cp_stun_crc32(out + body, bytes));
    memcpy(out + n, checksum, 8);
    return body + bytes;
}

static void end_frame(struct client *client)
{
    char checksum[9] = "";
    if (client->frame_whole && client->frame_bytes > 9) {
        int type = client->frame[0] & 31;
        snprintf(checksum, sizeof checksum, "%08x",
                 cp_stun_crc32(client->frame + 9, client->frame_bytes - 9));
        if (memcmp(checksum, client->frame + 1, 8)) {
            client->broken_frames++;
        } else {
            client->frames++;
            client->key_frames += type == 5;
        }
    }
    client->frame_bytes = 0;
    client->frame_whole = true;
}

static void add_payload(struct client *client, const uint8_t *p, size_t n, bool marker)
{
    int type = n ? p[0] & 31 : 0;
    if (client->frame_bytes + n + 1 > sizeof client->frame)
        client->frame_bytes = 0;
    if (type == 28 && n > 2) {
        if (p[1] & 0x80)
            client->frame[client->frame_bytes++] = (uint8_t)((p[0] & 0xe0) | (p[1] & 31));
        memcpy(client->frame + client->frame_bytes, p + 2, n - 2);
        client->frame_bytes += n - 2;
    } else if (type == 1 || type == 5) {
        memcpy(client->frame + client->frame_bytes, p, n);
        client->frame_bytes += n;
    }
    if (marker)
        end_frame(client);
}

static size_t read_header(struct client *client, const uint8_t *data, size_t length)
{
    size_t header = 12;
    if (data[0] & 0x10) {
        size_t words = cp_get16(data + 14);
        for (const uint8_t *p = data + 16, *end = p + 4 * words; p < end;) {
            client->saw_mid |= *p >> 4 == client->mid_id;
            if (*p >> 4 == client->playout_id)
                client->saw_playout = p[1] == 0 && p[2] == 0; /* minimum 0 */
            p += *p ? 2 + (*p & 15) : 1;
        }
        header += 4 + 4 * words;
    }
    return header < length ? header : length;
}

static void on_video(struct client *client, const uint8_t *data, size_t length)
{
    uint16_t sequence = (uint16_t)cp_get16(data + 2);
    size_t header = read_header(client, data, length), n = length - header;
    if (data[0] & 0x20)
        n -= data[length - 1];
    if (client->lost_one && sequence == client->lost_sequence) {
        client->recovered = true;
        return;
    }
    if (client->has_video_sequence && (int16_t)(sequence - client->video_sequence) <= 0) {
        client->repeated++;
        return;
    }
    if (!client->has_video_sequence) {
        client->first_was_key = (data[header] & 31) == 24; /* SPS and PPS in one */
        client->frame_whole = true;
    } else if (sequence != (uint16_t)(client->video_sequence + 1)) {
        client->gaps++;
        client->frame_whole = false;
    }
    client->has_video_sequence = true;
    client->video_sequence = sequence;
    client->video_timestamp = cp_get32(data + 4);
    client->video_packets++;
    add_payload(client, data + header, n, data[1] & 0x80);
}

static void on_rtcp(struct client *client, const uint8_t *data, size_t length)
{
    for (size_t at = 0; at + 8 <= length; at += 4 * ((size_t)cp_get16(data + at + 2) + 1)) {
        if (data[at + 1] == 200) {
            uint32_t ssrc = cp_get32(data + at + 4), timestamp = cp_get32(data + at + 16);
            client->sender_reports++;
            client->report_ntp = cp_get64(data + at + 8);
            *(ssrc == client->video_ssrc ? &client->report_video_timestamp
                                         : &client->report_audio_timestamp) = timestamp;
        }
        client->byes += data[at + 1] == 203;
    }
}

static void on_srtp(struct client *client, uint8_t *data, size_t length)
{
    int n = (int)length;
    bool rtcp = data[1] >= 192 && data[1] < 224;
    if (!client->connected)
        return;
    if (client->lose_next_video && client->video_packets > 5 && cp_get32(data + 8) == client->video_ssrc) {
        client->lose_next_video = false;
        client->lost_one = true;
        client->lost_sequence = (uint16_t)cp_get16(data + 2);
        return;
    }
    if ((rtcp ? srtp_unprotect_rtcp : srtp_unprotect)(client->srtp_in, data, &n) != srtp_err_status_ok)
        client->unprotect_failures++;
    else if (rtcp)
        on_rtcp(client, data, (size_t)n);
    else if ((data[1] & 0x7f) == client->video_pt && cp_get32(data + 8) == client->video_ssrc)
        on_video(client, data, (size_t)n);
    else if ((data[1] & 0x7f) == client->audio_pt && cp_get32(data + 8) == client->audio_ssrc) {
        uint16_t sequence = (uint16_t)cp_get16(data + 2);
        client->sound_gaps +=
            client->has_audio_sequence && sequence != (uint16_t)(client->audio_sequence + 1);
        client->has_audio_sequence = true;
        client->audio_sequence = sequence;
        client->audio_packets++;
        read_header(client, data, (size_t)n);
    }
}

/* --- RTCP out --- */

static void send_rtcp(struct client *client, uint8_t *data, size_t length)
{
    int n = (int)length;
    if (!client->connected || srtp_protect_rtcp(client->srtp_out, data, &n) != srtp_err_status_ok)
        return;
    memcpy(last_rtcp, data, (size_t)n);
    last_rtcp_bytes = (size_t)n;
    send(client->fd, data, (size_t)n, 0);
}

void client_replay(struct client *client)
{
    send(client->fd, last_rtcp, last_rtcp_bytes, 0);
}

static void send_feedback(struct client *client, unsigned count, unsigned type, uint32_t ssrc, uint32_t word,
                          size_t length)
{
    uint8_t out[128] = {(uint8_t)(0x80 | count), (uint8_t)type};
    cp_put16(out + 2, (unsigned)(length / 4 - 1));
    cp_put32(out + 4, client->own_ssrc);
    cp_put32(out + 8, ssrc);
    cp_put32(out + 12, word);
    send_rtcp(client, out, length);
}

void client_nack(struct client *client, uint32_t ssrc, uint16_t sequence)
{
    send_feedback(client, 1, 205, ssrc, (uint32_t)sequence << 16, 16);
}

void client_picture_loss(struct client *client)
{
    send_feedback(client, 1, 206, client->video_ssrc, 0, 12);
}

void client_report(struct client *client, uint8_t fraction_lost)
{
    uint8_t out[128] = {0x81, 201, 0, 7};
    cp_put32(out + 4, client->own_ssrc);
    cp_put32(out + 8, client->video_ssrc);
    out[12] = fraction_lost;
    cp_put32(out + 24, (uint32_t)(client->report_ntp >> 16));
    send_rtcp(client, out, 32);
}

void client_close(struct client *client)
{
    SSL_shutdown(client->ssl);
    flush_dtls(client);
    client->silent = true;
}

void client_poll(struct client *client)
{
    uint8_t data[2048];
    ssize_t n;
    while ((n = recv(client->fd, data, sizeof data, 0)) > 1) {
        if (data[0] < 4)
            on_stun(client, data, (size_t)n);
        else if (data[0] < 64)
            on_dtls(client, data, (size_t)n);
        else
            on_srtp(client, data, (size_t)n);
    }
    int64_t now_ns = cp_clock_now_ns();
    if (client->silent)
        return;
    if (now_ns >= client->next_check_ns) {
        client->next_check_ns = now_ns + (client->connected && client->checks_answered ? 10 : 1) * CHECK_NS;
        send_check(client);
    }
    if (client->checks_answered && !client->connected) {
        DTLSv1_handle_timeout(client->ssl);
        if (SSL_do_handshake(client->ssl) == 1)
            open_media(client);
        flush_dtls(client);
    }
    if (client->connected && now_ns >= client->next_report_ns) {
        client->next_report_ns = now_ns + REPORT_NS;
        client_report(client, 0);
    }
}
