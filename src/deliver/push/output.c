/* One output's thread: dial, write, and begin again when it breaks. */
#include "deliver/push/push_int.h"

#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SILENCE_NS    (10 * CP_NS_PER_S) /* a channel that makes no packets for so long is not on air */
#define FIRST_REST_NS CP_NS_PER_S
#define MAX_REST_NS   (30 * CP_NS_PER_S)
#define STEADY_NS     (20 * CP_NS_PER_S)  /* a connection that held for so long begins the intervals anew */
#define ON_BACKUP_NS  (300 * CP_NS_PER_S) /* then the first address is tried again */

static void set_state(struct cp_push_output *output, enum cp_push_state state, const char *why)
{
    pthread_mutex_lock(&output->lock);
    bool changed = output->status.state != state;
    output->status.state = state;
    output->status.live_since_ns = state == CP_PUSH_LIVE ? cp_clock_now_ns() : 0;
    output->status.connects += state == CP_PUSH_LIVE;
    if (why) {
        output->status.failures++;
        memccpy(output->status.error, why, 0, sizeof output->status.error - 1);
    }
    struct cp_push_status status = output->status;
    pthread_mutex_unlock(&output->lock);
    if (changed && output->on_state)
        output->on_state(output->user, output->spec.id, &status);
}

/* Between half and all of the interval, so that many outputs do not dial at the same moment. */
static int64_t with_jitter(int64_t rest_ns)
{
    uint32_t random = 0;
    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return rest_ns / 2 + rest_ns / 2 * (int64_t)(random >> 16) / 65536;
}

/* Writes until it breaks, is stopped, or has been on the backup for long enough. Live with the first picture.
 */
static int feed(struct cp_push_output *output, struct cp_push_connection *connection, bool backup,
                struct cp_error *error)
{
    int64_t started_ns = cp_clock_now_ns();
    uint64_t counted = 0;
    bool live = false;
    int result = 0;
    while (!result && !(backup && cp_clock_now_ns() - started_ns > ON_BACKUP_NS)) {
        struct cp_packet *packet = cp_push_next(output, SILENCE_NS);
        if (!packet)
            return atomic_load(&output->stopping)
                       ? 0
                       : cp_fail(error, CP_ERR_TIMEOUT, "push", "the channel made no picture for 10 s");
        bool picture = packet->codec == CP_CODEC_H264;
        result = cp_push_write(connection, packet, error);
        cp_ref_drop(packet);
        uint64_t bytes = cp_push_connection_bytes(connection);
        pthread_mutex_lock(&output->lock);
        output->status.frames += picture && !result;
        output->status.bytes += bytes - counted;
        pthread_mutex_unlock(&output->lock);
        counted = bytes;
        if (!result && picture && !live) {
            live = true;
            set_state(output, CP_PUSH_LIVE, NULL);
        }
    }
    return result;
}

/* One connection from dialling to its end. */
static int serve(struct cp_push_output *output, bool backup, struct cp_error *error)
{
    struct cp_push_connection *connection = NULL;
    pthread_mutex_lock(&output->lock);
    output->status.on_backup = backup;
    pthread_mutex_unlock(&output->lock);
    set_state(output, CP_PUSH_CONNECTING, NULL);
    int result =
        cp_push_connect(output, backup ? output->spec.backup : output->spec.address, &connection, error);
    if (!result) {
        cp_push_want(output, true);
        result = feed(output, connection, backup, error);
        cp_push_want(output, false);
    }
    cp_push_disconnect(connection);
    return result;
}

static void *run(void *arg)
{
    struct cp_push_output *output = arg;
    int64_t rest_ns = FIRST_REST_NS;
    bool backup = false;
    while (!atomic_load(&output->stopping)) {
        struct cp_error error = {.text = ""};
        int64_t started_ns = cp_clock_now_ns();
        int result = serve(output, backup, &error);
        if (atomic_load(&output->stopping))
            break;
        if (result == CP_ERR_UNSUPPORTED || result == CP_ERR_NOMEM) {
            set_state(output, CP_PUSH_FAILED, error.text);
            return NULL;
        }
        backup = !backup && *output->spec.backup;
        if (!result)
            continue; /* from the backup to the first address */
        set_state(output, CP_PUSH_RETRYING, error.text);
        if (cp_clock_now_ns() - started_ns > STEADY_NS)
            rest_ns = FIRST_REST_NS;
        cp_push_rest(output, with_jitter(rest_ns));
        rest_ns = rest_ns * 2 < MAX_REST_NS ? rest_ns * 2 : MAX_REST_NS;
    }
    set_state(output, CP_PUSH_IDLE, NULL);
    return NULL;
}

int cp_push_output_start(const struct cp_push_spec *spec, const struct cp_push_format *format,
                         cp_push_state_fn *on_state, void *user, struct cp_push_output **ret_output,
                         struct cp_error *error)
{
    struct cp_push_output *output = calloc(1, sizeof *output);
    pthread_condattr_t attributes;
    if (!output)
        return cp_fail(error, CP_ERR_NOMEM, "push", "out of memory");
    output->spec = *spec;
    output->format = *format;
    output->on_state = on_state;
    output->user = user;
    pthread_mutex_init(&output->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&output->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (cp_thread_start(&output->thread, "push", run, output)) {
        pthread_cond_destroy(&output->wake);
        pthread_mutex_destroy(&output->lock);
        free(output);
        return cp_fail(error, CP_ERR_NOMEM, "push", "cannot start a thread");
    }
    *ret_output = output;
    return 0;
}

void cp_push_output_stop(struct cp_push_output *output)
{
    pthread_mutex_lock(&output->lock);
    atomic_store(&output->stopping, true);
    pthread_cond_broadcast(&output->wake);
    pthread_mutex_unlock(&output->lock);
    pthread_join(output->thread, NULL);
    cp_push_want(output, false);
    pthread_cond_destroy(&output->wake);
    pthread_mutex_destroy(&output->lock);
    free(output);
}
