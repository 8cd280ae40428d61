#include "deliver/webrtc/stun.h"

#include "deliver/webrtc/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define MAGIC_COOKIE    0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu
#define HEADER_BYTES    20
#define HMAC_BYTES      20

enum attribute {
    USERNAME = 0x0006,
    MESSAGE_INTEGRITY = 0x0008,
    ERROR_CODE = 0x0009,
    UNKNOWN_ATTRIBUTES = 0x000a,
    REALM = 0x0014,
    NONCE = 0x0015,
    MESSAGE_INTEGRITY_SHA256 = 0x001c,
    XOR_MAPPED_ADDRESS = 0x0020,
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    FINGERPRINT = 0x8028,
    ICE_CONTROLLED = 0x8029,
    ICE_CONTROLLING = 0x802a,
};

uint32_t cp_stun_crc32(const uint8_t *data, size_t length)
{
    static const uint32_t NIBBLE[16] = {
        /* of the reflected polynomial 0xedb88320 */
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++) {
        crc = NIBBLE[(crc ^ data[i]) & 15] ^ crc >> 4;
        crc = NIBBLE[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

bool cp_stun_is(const uint8_t *data, size_t length)
{
    return length >= HEADER_BYTES && data[0] < 4 && cp_get32(data + 4) == MAGIC_COOKIE;
}

static int read_attribute(const uint8_t *data, size_t at, struct cp_stun_message *message)
{
    unsigned type = cp_get16(data + at), size = cp_get16(data + at + 2);
    const uint8_t *value = data + at + 4;
    switch (type) {
    case USERNAME:
        if (size > 512) /* RFC 8489 section 14.3: less than 509 bytes */
            return CP_ERR_FORMAT;
        message->username = (const char *)value;
        message->username_bytes = size;
        return 0;
    case MESSAGE_INTEGRITY:
        if (size != HMAC_BYTES)
            return CP_ERR_FORMAT;
        message->integrity_at = at;
        return 0;
    case PRIORITY:
        if (size != 4)
            return CP_ERR_FORMAT;
        message->priority = cp_get32(value);
        return 0;
    case USE_CANDIDATE:
        message->use_candidate = true;
        return 0;
    case ICE_CONTROLLING:
    case ICE_CONTROLLED:
        if (size != 8)
            return CP_ERR_FORMAT;
        *(type == ICE_CONTROLLING ? &message->controlling : &message->controlled) = true;
        return 0;
    case ERROR_CODE:
    case UNKNOWN_ATTRIBUTES:
    case REALM:
    case NONCE:
    case MESSAGE_INTEGRITY_SHA256:
    case XOR_MAPPED_ADDRESS:
        return 0;
    default:
        if (type < 0x8000 && message->n_unknown < CP_STUN_MAX_UNKNOWN)
            message->unknown[message->n_unknown++] = (uint16_t)type;
        return 0;
    }
}

int cp_stun_parse(const uint8_t *data, size_t length, struct cp_stun_message *ret_message)
{
    if (!cp_stun_is(data, length) || cp_get16(data + 2) != length - HEADER_BYTES || length % 4)
        return CP_ERR_FORMAT;
    struct cp_stun_message message = {.type = cp_get16(data)};
    memcpy(message.transaction, data + 8, sizeof message.transaction);
    for (size_t at = HEADER_BYTES; at < length;) {
        if (length - at < 4)
            return CP_ERR_FORMAT;
        unsigned type = cp_get16(data + at), size = cp_get16(data + at + 2);
        size_t padded = (size + 3u) & ~3u;
        if (padded > length - at - 4)
            return CP_ERR_FORMAT;
        if (type == FINGERPRINT) {
            if (size != 4 || at + 8 != length ||
                cp_get32(data + at + 4) != (cp_stun_crc32(data, at) ^ FINGERPRINT_XOR))
                return CP_ERR_FORMAT;
            message.fingerprint = true;
        } else if (!message.integrity_at) { /* what follows MESSAGE-INTEGRITY is not protected: ignored */
            int err = read_attribute(data, at, &message);
            if (err)
                return err;
        }
        at += 4 + padded;
    }
    *ret_message = message;
    return 0;
}

/* HMAC-SHA1 over the message up to the attribute at `end`, with the header's length counting to the
 * attribute's end. */
static bool integrity(const uint8_t *data, size_t end, const char *password, uint8_t mac[HMAC_BYTES])
{
    uint8_t copy[1024];
    unsigned mac_bytes = HMAC_BYTES;
    if (end > sizeof copy)
        return false;
    memcpy(copy, data, end);
    cp_put16(copy + 2, (unsigned)(end + 4 + HMAC_BYTES - HEADER_BYTES));
    return HMAC(EVP_sha1(), password, (int)strlen(password), copy, end, mac, &mac_bytes) != NULL;
}

bool cp_stun_authentic(const uint8_t *data, const struct cp_stun_message *message, const char *password)
{
    uint8_t mac[HMAC_BYTES];
    return message->integrity_at && integrity(data, message->integrity_at, password, mac) &&
           !CRYPTO_memcmp(mac, data + message->integrity_at + 4, HMAC_BYTES);
}

static size_t begin(uint8_t *out, const struct cp_stun_message *request, unsigned type)
{
    memset(out, 0, CP_STUN_ANSWER_BYTES);
    cp_put16(out, type);
    cp_put32(out + 4, MAGIC_COOKIE);
    memcpy(out + 8, request->transaction, sizeof request->transaction);
    return HEADER_BYTES;
}

static size_t finish(uint8_t *out, size_t n, const char *password)
{
    integrity(out, n, password, out + n + 4);
    cp_put16(out + n, MESSAGE_INTEGRITY);
    cp_put16(out + n + 2, HMAC_BYTES);
    n += 4 + HMAC_BYTES;
    cp_put16(out + 2, (unsigned)(n + 8 - HEADER_BYTES));
    uint32_t crc = cp_stun_crc32(out, n);
    cp_put16(out + n, FINGERPRINT);
    cp_put16(out + n + 2, 4);
    cp_put32(out + n + 4, crc ^ FINGERPRINT_XOR);
    return n + 8;
}

size_t cp_stun_success(uint8_t *out, const struct cp_stun_message *request, const struct cp_address *from,
                       const char *password)
{
    uint8_t ip[16], mask[16];
    size_t n = begin(out, request, CP_STUN_BINDING_SUCCESS), ip_bytes = cp_address_ip(from, ip);
    cp_put32(mask, MAGIC_COOKIE);
    memcpy(mask + 4, request->transaction, 12);
    cp_put16(out + n, XOR_MAPPED_ADDRESS);
    cp_put16(out + n + 2, (unsigned)(4 + ip_bytes));
    out[n + 5] = ip_bytes == 4 ? 1 : 2;
    cp_put16(out + n + 6, cp_address_port(from) ^ (MAGIC_COOKIE >> 16));
    for (size_t i = 0; i < ip_bytes; i++)
        out[n + 8 + i] = ip[i] ^ mask[i];
    return finish(out, n + 8 + ip_bytes, password);
}

size_t cp_stun_error(uint8_t *out, const struct cp_stun_message *request, int code, const char *password)
{
    size_t n = begin(out, request, CP_STUN_BINDING_ERROR);
    cp_put16(out + n, ERROR_CODE);
    cp_put16(out + n + 2, 4); /* the reason phrase may be empty */
    out[n + 6] = (uint8_t)(code / 100);
    out[n + 7] = (uint8_t)(code % 100);
    n += 8;
    if (code == 420 && request->n_unknown) {
        unsigned size = 2u * (unsigned)request->n_unknown;
        cp_put16(out + n, UNKNOWN_ATTRIBUTES);
        cp_put16(out + n + 2, size);
        for (int i = 0; i < request->n_unknown; i++)
            cp_put16(out + n + 4 + 2 * i, request->unknown[i]);
        n += 4 + ((size + 3u) & ~3u);
    }
    return finish(out, n, password);
}
