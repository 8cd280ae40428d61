/* Who watches: listing sessions, and ending those of one guest. */
#include "deliver/webrtc/webrtc_int.h"

#include <string.h>

struct guest_command {
    const char *session;
    const struct cp_webrtc_guest *guest;
};

/* thread: net */
static void set_guest(struct cp_net *net, void *arg)
{
    const struct guest_command *command = arg;
    struct cp_viewer *viewer = cp_net_find_session(net, command->session);
    if (viewer)
        viewer->guest = *command->guest;
}

void cp_webrtc_set_guest(struct cp_webrtc *webrtc, const char *session, const struct cp_webrtc_guest *guest)
{
    struct guest_command command = {session, guest};
    struct cp_net *net = cp_webrtc_net_of(webrtc, session);
    if (net)
        cp_net_run(net, set_guest, &command);
}

struct list_command {
    struct cp_webrtc_stream *stream;
    struct cp_webrtc_session *sessions;
    int n, max;
};

/* thread: net */
static void list(struct cp_net *net, void *arg)
{
    struct list_command *command = arg;
    for (int slot = 0; slot < net->capacity && command->n < command->max; slot++) {
        const struct cp_viewer *viewer = net->viewers[slot];
        if (!viewer || viewer->stream != command->stream)
            continue;
        struct cp_webrtc_session *session = &command->sessions[command->n++];
        *session = (struct cp_webrtc_session){.guest = viewer->guest,
                                              .watching = viewer->joined,
                                              .since_ns = viewer->created_ns,
                                              .bytes_sent = viewer->bytes_sent};
        memcpy(session->session, viewer->session, sizeof session->session);
    }
}

int cp_webrtc_list(struct cp_webrtc_stream *stream, struct cp_webrtc_session *ret_sessions, int max)
{
    struct list_command command = {.stream = stream, .sessions = ret_sessions, .max = max};
    for (int i = 0; i < stream->webrtc->n_nets; i++)
        cp_net_run(&stream->webrtc->nets[i], list, &command);
    return command.n;
}

struct end_command {
    struct cp_webrtc_stream *stream;
    const char *session, *name;
    int64_t version;
    int ended;
};

/* thread: net */
static void end_session(struct cp_net *net, void *arg)
{
    struct end_command *command = arg;
    struct cp_viewer *viewer = cp_net_find_session(net, command->session);
    if (!viewer || viewer->stream != command->stream)
        return;
    cp_viewer_leave(net, viewer, true);
    command->ended++;
}

int cp_webrtc_end(struct cp_webrtc_stream *stream, const char *session, struct cp_error *error)
{
    struct end_command command = {.stream = stream, .session = session};
    struct cp_net *net = cp_webrtc_net_of(stream->webrtc, session);
    if (net)
        cp_net_run(net, end_session, &command);
    return command.ended ? 0 : cp_webrtc_no_session(error, session);
}

/* thread: net */
static void end_guest(struct cp_net *net, void *arg)
{
    struct end_command *command = arg;
    for (int slot = 0; slot < net->capacity; slot++) {
        struct cp_viewer *viewer = net->viewers[slot];
        if (!viewer || viewer->stream != command->stream || viewer->guest.version > command->version ||
            strcmp(viewer->guest.name, command->name) != 0)
            continue;
        cp_viewer_leave(net, viewer, true);
        command->ended++;
    }
}

int cp_webrtc_end_guest(struct cp_webrtc_stream *stream, const char *name, int64_t version)
{
    struct end_command command = {.stream = stream, .name = name, .version = version};
    for (int i = 0; i < stream->webrtc->n_nets; i++)
        cp_net_run(&stream->webrtc->nets[i], end_guest, &command);
    return command.ended;
}
