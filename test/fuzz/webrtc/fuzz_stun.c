/* STUN as it comes from the network, and our answers to what parses. */
#include "deliver/webrtc/stun.h"

#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_stun_message message, back;
    struct cp_address from = {.v6 = {.sin6_family = AF_INET6}, .length = sizeof from.v6};
    uint8_t answer[CP_STUN_ANSWER_BYTES];
    if (cp_stun_parse(data, size, &message))
        return 0;
    cp_stun_authentic(data, &message, "password");
    if (message.username_bytes && message.username[message.username_bytes - 1] == 'x')
        from.v6.sin6_port = 1;
    size_t n = cp_stun_success(answer, &message, &from, "password");
    if (n > sizeof answer || cp_stun_parse(answer, n, &back) || !cp_stun_authentic(answer, &back, "password"))
        abort();
    n = cp_stun_error(answer, &message, 420, "password");
    if (n > sizeof answer || cp_stun_parse(answer, n, &back) || !cp_stun_authentic(answer, &back, "password"))
        abort();
    return 0;
}
