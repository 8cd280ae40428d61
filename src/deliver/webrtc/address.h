/* Socket addresses: what a viewer sends from, what we listen on, what the candidates say. */
#ifndef CP_WEBRTC_ADDRESS_H
#define CP_WEBRTC_ADDRESS_H

#include "base/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct cp_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length; /* 0: none */
};

#define CP_ADDRESS_TEXT_BYTES 48

/* "127.0.0.1:8189", "[::1]:8189", "localhost:0", ":8189" (all addresses). */
int cp_address_parse(const char *text, struct cp_address *ret_address, struct cp_error *error);
/* A host without a port: an address or a name that resolves to one. */
int cp_address_resolve(const char *host, struct cp_address *ret_address, struct cp_error *error);

uint16_t cp_address_port(const struct cp_address *address);
void cp_address_set_port(struct cp_address *address, uint16_t port);
bool cp_address_equal(const struct cp_address *a, const struct cp_address *b);
uint32_t cp_address_hash(const struct cp_address *address);
bool cp_address_is_wildcard(const struct cp_address *address);

/* The IP in network order: 4 bytes (also for IPv4 mapped into IPv6) or 16; the return value says which. */
size_t cp_address_ip(const struct cp_address *address, uint8_t ip[16]);
/* The IP as text without a port; text holds CP_ADDRESS_TEXT_BYTES. */
void cp_address_text(const struct cp_address *address, char *text);

/* Addresses of this machine's interfaces that a viewer could reach: up and not link-local; loopback only when
 * nothing else is there. Returns how many were found (at most capacity). */
int cp_address_local(int family, struct cp_address *ret_addresses, int capacity);

#endif
