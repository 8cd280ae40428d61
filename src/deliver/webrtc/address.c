#include "deliver/webrtc/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int resolve(const char *host, const char *port, struct cp_address *ret_address, struct cp_error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int failed = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (failed || !found || found->ai_addrlen > sizeof(struct sockaddr_in6))
        return cp_fail(error, CP_ERR_INVALID, "webrtc", "cannot use the address \"%s\": %s", host,
                       failed ? gai_strerror(failed) : "unknown family");
    struct cp_address address = {.length = found->ai_addrlen};
    memcpy(&address.any, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    *ret_address = address;
    return 0;
}

int cp_address_parse(const char *text, struct cp_address *ret_address, struct cp_error *error)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (!colon || length >= sizeof host)
        return cp_fail(error, CP_ERR_INVALID, "webrtc", "\"%s\" is not ADDRESS:PORT", text);
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || port < 0 || port > 65535)
        return cp_fail(error, CP_ERR_INVALID, "webrtc", "\"%s\" has no port between 0 and 65535", text);
    memcpy(host, text, length);
    host[length] = 0;
    char *bare = host;
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = 0;
        bare++;
    }
    char number[8];
    snprintf(number, sizeof number, "%ld", port);
    return resolve(bare, number, ret_address, error);
}

int cp_address_resolve(const char *host, struct cp_address *ret_address, struct cp_error *error)
{
    return resolve(host, NULL, ret_address, error);
}

uint16_t cp_address_port(const struct cp_address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void cp_address_set_port(struct cp_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

bool cp_address_equal(const struct cp_address *a, const struct cp_address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->v6.sin6_port == b->v6.sin6_port && !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16);
}

/* FNV-1a; the table that uses it holds only addresses that proved knowledge of a password. */
uint32_t cp_address_hash(const struct cp_address *address)
{
    uint8_t bytes[18];
    size_t n = cp_address_ip(address, bytes);
    uint16_t port = cp_address_port(address);
    memcpy(bytes + n, &port, 2);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n + 2; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash ^ hash >> 15;
}

bool cp_address_is_wildcard(const struct cp_address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

size_t cp_address_ip(const struct cp_address *address, uint8_t ip[16])
{
    if (address->any.sa_family == AF_INET) {
        memcpy(ip, &address->v4.sin_addr, 4);
        return 4;
    }
    if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        memcpy(ip, address->v6.sin6_addr.s6_addr + 12, 4);
        return 4;
    }
    memcpy(ip, &address->v6.sin6_addr, 16);
    return 16;
}

void cp_address_text(const struct cp_address *address, char *text)
{
    uint8_t ip[16];
    size_t n = cp_address_ip(address, ip);
    inet_ntop(n == 4 ? AF_INET : AF_INET6, ip, text, CP_ADDRESS_TEXT_BYTES);
}

static bool is_link_local(const struct sockaddr *any)
{
    if (any->sa_family == AF_INET6)
        return IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)any)->sin6_addr);
    return (ntohl(((const struct sockaddr_in *)any)->sin_addr.s_addr) >> 16) == 0xa9fe; /* 169.254/16 */
}

int cp_address_local(int family, struct cp_address *ret_addresses, int capacity)
{
    struct ifaddrs *all = NULL;
    int count = 0;
    if (getifaddrs(&all))
        return 0;
    for (int loopback = 0; loopback < 2 && !count; loopback++) {
        for (struct ifaddrs *i = all; i && count < capacity; i = i->ifa_next) {
            if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || !(i->ifa_flags & IFF_LOOPBACK) != !loopback)
                continue;
            int kind = i->ifa_addr->sa_family;
            /* An IPv6 wildcard socket takes IPv4 too. */
            if (!(kind == AF_INET || (kind == AF_INET6 && family == AF_INET6)) || is_link_local(i->ifa_addr))
                continue;
            struct cp_address *address = &ret_addresses[count++];
            address->length = kind == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
            memcpy(&address->any, i->ifa_addr, address->length);
        }
    }
    freeifaddrs(all);
    return count;
}
