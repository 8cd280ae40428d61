/* Inside the push stage: one output. */
#ifndef CP_PUSH_INT_H
#define CP_PUSH_INT_H

#include "deliver/push/push.h"

#include <pthread.h>
#include <stdatomic.h>

/* A second of pictures and one of sound. The encoders' pools hold two, and all outputs keep references to the
 * same newest second, so outputs that stand still cannot take the encoders' packets away. */
#define CP_PUSH_QUEUE    80
#define CP_PUSH_PICTURES 32

#define CP_PUSH_AAC_BYTES 16

struct cp_push_format { /* what is sent, the same for all outputs of a channel */
    int width, height;
    uint8_t aac[CP_PUSH_AAC_BYTES];
    int aac_bytes;
};

struct cp_push_output {
    struct cp_push_spec spec;
    struct cp_push_format format;
    cp_push_state_fn *on_state;
    void *user;
    pthread_t thread;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct cp_packet *queue[CP_PUSH_QUEUE];
    int first, depth, pictures;
    bool wants; /* a connection is there to write to */
    bool whole; /* the newest packet follows those before it: no key frame has to come first */
    struct cp_push_status status;
};

int cp_push_output_start(const struct cp_push_spec *spec, const struct cp_push_format *format,
                         cp_push_state_fn *on_state, void *user, struct cp_push_output **ret_output,
                         struct cp_error *error);
void cp_push_output_stop(struct cp_push_output *output);
void cp_push_output_take(struct cp_push_output *output, struct cp_packet *packet);

/* --- queue.c --- */

/* The oldest packet with its reference, or NULL when none came in time or the output stops. */
struct cp_packet *cp_push_next(struct cp_push_output *output, int64_t wait_ns);
/* Begins to queue at the next key frame, or stops and lets go of all. */
void cp_push_want(struct cp_push_output *output, bool wants);
/* Sleeps for so long, or until the output stops. */
void cp_push_rest(struct cp_push_output *output, int64_t wait_ns);

/* --- connection.c: one connection to one address --- */

struct cp_push_connection;
int cp_push_connect(struct cp_push_output *output, const char *address,
                    struct cp_push_connection **ret_connection, struct cp_error *error);
int cp_push_write(struct cp_push_connection *connection, const struct cp_packet *packet,
                  struct cp_error *error);
uint64_t cp_push_connection_bytes(const struct cp_push_connection *connection);
void cp_push_disconnect(struct cp_push_connection *connection);

#endif
