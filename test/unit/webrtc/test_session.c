/* Whole sessions over loopback: the server against mock viewers whose DTLS and SRTP are not ours. */
#include "base/clock.h"
#include "base/thread.h"
#include "deliver/webrtc/webrtc_int.h"
#include "mock/webrtc/client.h"
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_BYTES 6000
#define KEY_BYTES   30000
#define FRAME_NS    (10 * CP_NS_PER_MS) /* three times as fast as on air, to save time */

/* --- a channel: two threads that push frames and sound --- */

static struct {
    struct cp_webrtc *webrtc;
    struct cp_webrtc_stream *stream;
    struct cp_pool *pool;
    pthread_t threads[2];
    int n_threads; /* that run */
    int64_t start_wall_ns;
    atomic_bool stop, idr_wanted;
    atomic_bool slow; /* the net thread is kept busy */
    atomic_int idr_wishes, joined, left, pushed, sent;
} channel;

static void on_viewer(void *user, const char *session, bool joined)
{
    atomic_fetch_add(joined ? &channel.joined : &channel.left, 1);
}

static void on_want_idr(void *user)
{
    atomic_store(&channel.idr_wanted, true);
    atomic_fetch_add(&channel.idr_wishes, 1);
}

static void on_sent(void *user, const struct cp_packet *packet, int64_t at_ns)
{
    atomic_fetch_add(&channel.sent, 1);
    if (atomic_load(&channel.slow))
        usleep(30000);
}

static void push(enum cp_codec codec, bool key, int64_t at_samples, int64_t wall_ns, const void *bytes,
                 size_t n)
{
    struct cp_packet *packet = cp_packet_get(channel.pool);
    if (!packet)
        return;
    packet->codec = codec;
    packet->key = key;
    packet->at_samples = at_samples;
    packet->captured_wall_ns = wall_ns;
    memcpy(packet->data, bytes, n);
    packet->length_bytes = n;
    atomic_fetch_add(&channel.pushed, 1);
    cp_webrtc_push(channel.stream, packet);
    cp_ref_drop(packet);
}

/* Sample clock and wall clock run at the same pace: 10 ms are 480 samples. */
static void *run_video(void *arg)
{
    uint8_t *frame = malloc(KEY_BYTES + 64);
    int64_t start = cp_clock_now_ns();
    for (int n = 0; !atomic_load(&channel.stop); n++) {
        cp_clock_sleep_until_ns(start + n * FRAME_NS);
        bool key = atomic_exchange(&channel.idr_wanted, false);
        size_t bytes =
            client_make_frame(frame, key ? KEY_BYTES : FRAME_BYTES + (size_t)(n % 700), key, (unsigned)n);
        push(CP_CODEC_H264, key, n * 480, channel.start_wall_ns + n * FRAME_NS, frame, bytes);
    }
    free(frame);
    return NULL;
}

static void *run_audio(void *arg)
{
    uint8_t sound[80] = "sound";
    int64_t start = cp_clock_now_ns();
    for (int n = 0; !atomic_load(&channel.stop); n++) {
        cp_clock_sleep_until_ns(start + n * FRAME_NS);
        push(CP_CODEC_OPUS, true, n * 480, channel.start_wall_ns + n * FRAME_NS, sound, sizeof sound);
    }
    return NULL;
}

static void open_channel(int threads, int max_viewers, int idle_s)
{
    struct cp_webrtc_config config = {
        .listen = "127.0.0.1:0", .threads = threads, .max_viewers = max_viewers, .idle_s = idle_s};
    struct cp_webrtc_events events = {on_viewer, on_want_idr, on_sent};
    memset(&channel, 0, sizeof channel);
    assert_int_equal(cp_webrtc_create(&config, &channel.webrtc, NULL), 0);
    assert_int_equal(cp_webrtc_stream_create(channel.webrtc, &events, NULL, &channel.stream, NULL), 0);
    channel.pool = cp_packet_pool_create(KEY_BYTES + 64, 256);
    channel.start_wall_ns = cp_clock_wall_ns();
    assert_int_equal(cp_thread_start(&channel.threads[channel.n_threads++], "venc", run_video, NULL), 0);
    assert_int_equal(cp_thread_start(&channel.threads[channel.n_threads++], "aenc", run_audio, NULL), 0);
}

static void stop_media(void)
{
    atomic_store(&channel.stop, true);
    while (channel.n_threads > 0)
        pthread_join(channel.threads[--channel.n_threads], NULL);
}

static void close_channel(void)
{
    stop_media();
    cp_webrtc_stream_destroy(channel.stream);
    cp_webrtc_destroy(channel.webrtc);
    cp_pool_destroy(channel.pool);
    channel.stream = NULL;
    channel.webrtc = NULL;
    channel.pool = NULL;
}

/* --- what a case holds: a failed one leaves by longjmp, and its teardown closes what it left open --- */

enum { MOST_CLIENTS = 64 };
static struct client *clients[MOST_CLIENTS];

static struct client *make_client(const struct client_options *options)
{
    int i = 0;
    while (i < MOST_CLIENTS && clients[i])
        i++;
    assert_true(i < MOST_CLIENTS);
    return clients[i] = client_create(options);
}

static void drop_client(struct client *client)
{
    for (int i = 0; i < MOST_CLIENTS; i++)
        if (client && clients[i] == client)
            clients[i] = NULL;
    client_destroy(client);
}

static int leave_nothing(void **state)
{
    close_channel();
    for (int i = 0; i < MOST_CLIENTS; i++)
        drop_client(clients[i]);
    return 0;
}

static struct cp_webrtc_stats stats(void)
{
    return cp_webrtc_stats(channel.webrtc, channel.stream);
}

/* --- viewers --- */

struct viewer {
    struct client *client;
    char session[CP_WEBRTC_SESSION_BYTES];
};

static struct viewer join(const struct client_options *options)
{
    struct viewer viewer = {.client = make_client(options)};
    char answer[8192];
    const char *offer = client_offer(viewer.client);
    assert_int_equal(
        cp_webrtc_offer(channel.stream, offer, strlen(offer), answer, sizeof answer, viewer.session, NULL),
        0);
    assert_true(client_take_answer(viewer.client, answer));
    return viewer;
}

/* Drives the viewers until the condition holds; false when it does not within 5 s. */
#define WAIT_FOR(viewers, n, condition)                                                                      \
    ({                                                                                                       \
        int64_t until_ = cp_clock_now_ns() + 5 * CP_NS_PER_S;                                                \
        bool held_;                                                                                          \
        while (!(held_ = (condition)) && cp_clock_now_ns() < until_) {                                       \
            for (int i_ = 0; i_ < (n); i_++)                                                                 \
                client_poll((viewers)[i_].client);                                                           \
            usleep(1000);                                                                                    \
        }                                                                                                    \
        held_;                                                                                               \
    })
#define assert_comes(viewer, condition) assert_true(WAIT_FOR(&(viewer), 1, condition))

static void viewer_gets_whole_frames_and_sound_from_a_key_frame_on(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames >= 60 && viewer.client->audio_packets >= 60);
    const struct client *client = viewer.client;
    assert_true(client->gcm); /* offered second, preferred by us */
    assert_true(client->first_was_key);
    assert_true(client->saw_mid);
    assert_true(client->saw_playout);
    assert_int_equal(client->gaps + client->sound_gaps, 0);
    assert_int_equal(client->broken_frames, 0);
    assert_int_equal(client->unprotect_failures, 0);
    assert_true(client->key_frames >= 1);
    assert_int_equal(atomic_load(&channel.joined), 1);
    assert_int_equal(stats().viewers, 1);
    assert_int_equal(stats().connecting, 0);
    assert_int_equal(stats().handshakes, 1);
    assert_int_equal(cp_webrtc_delete(channel.webrtc, viewer.session, NULL), 0);
    assert_comes(viewer, viewer.client->closed);
    assert_int_equal(client->byes, 1);
    assert_int_equal(stats().viewers, 0);
    assert_int_equal(atomic_load(&channel.left), 1);
    assert_int_equal(cp_webrtc_delete(channel.webrtc, viewer.session, NULL), CP_ERR_NOT_FOUND);
    drop_client(viewer.client);
    close_channel();
}

static void viewer_may_have_aes_cm_or_no_sound(void **state)
{
    static const struct client_options CM = {.srtp_profiles = "SRTP_AES128_CM_SHA1_80"},
                                       MUTE = {.no_audio = true};
    open_channel(1, 10, 10);
    struct viewer viewers[] = {join(&CM), join(&MUTE)};
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->frames >= 20 && viewers[1].client->frames >= 20));
    assert_false(viewers[0].client->gcm);
    assert_true(viewers[0].client->audio_packets > 0);
    assert_int_equal(viewers[1].client->audio_packets, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(viewers[i].client->gaps + viewers[i].client->broken_frames, 0);
        assert_int_equal(viewers[i].client->unprotect_failures, 0);
        drop_client(viewers[i].client);
    }
    close_channel();
}

static void report_maps_both_clocks_to_the_moment_of_capture(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->sender_reports >= 4);
    /* Both RTP times name the wall time of the report: a sample clock that began at start_wall_ns. */
    uint64_t ntp = viewer.client->report_ntp;
    double wall = (double)(ntp >> 32) - 2208988800.0 + (double)(ntp & 0xffffffff) / 4294967296.0;
    double since = wall - (double)channel.start_wall_ns / 1e9;
    assert_true(since > 0 && since < 10);
    assert_in_range((int)(viewer.client->report_video_timestamp - since * 90000) + 1000, 900, 1100);
    assert_in_range((int)(viewer.client->report_audio_timestamp - since * 48000) + 1000, 900, 1100);
    drop_client(viewer.client);
    close_channel();
}

static void nack_is_answered_from_the_history(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    viewer.client->lose_next_video = true;
    assert_comes(viewer, viewer.client->lost_one);
    client_nack(viewer.client, viewer.client->video_ssrc, viewer.client->lost_sequence);
    assert_comes(viewer, viewer.client->recovered);
    assert_int_equal(viewer.client->unprotect_failures, 0);
    assert_int_equal(stats().retransmitted, 1);
    /* What is not there, is not sent: the future, what was before the viewer, another source. */
    client_nack(viewer.client, viewer.client->video_ssrc, (uint16_t)(viewer.client->video_sequence + 5000));
    client_nack(viewer.client, viewer.client->video_ssrc, (uint16_t)(viewer.client->video_sequence - 15000));
    client_nack(viewer.client, 12345, viewer.client->video_sequence);
    assert_comes(viewer, stats().nacks == 3);
    assert_int_equal(stats().retransmit_misses, 2);
    assert_int_equal(stats().retransmitted, 1);
    drop_client(viewer.client);
    close_channel();
}

static void nacks_past_the_budget_are_not_answered(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->video_packets > 20);
    for (int i = 0; i < 700; i++) {
        client_nack(viewer.client, viewer.client->video_ssrc, viewer.client->video_sequence);
        if (i % 50 == 0)
            client_poll(viewer.client);
    }
    assert_comes(viewer, stats().nacks >= 600); /* some may be lost in the socket */
    assert_in_range(stats().retransmitted, 100, 590);
    assert_true(stats().retransmit_misses > 0);
    drop_client(viewer.client);
    close_channel();
}

static void picture_loss_brings_a_key_frame_within_a_budget(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames > 10);
    int wishes = atomic_load(&channel.idr_wishes), keys = viewer.client->key_frames;
    client_picture_loss(viewer.client);
    assert_comes(viewer, viewer.client->key_frames > keys);
    assert_int_equal(atomic_load(&channel.idr_wishes), wishes + 1);
    for (int i = 0; i < 50; i++)
        client_picture_loss(viewer.client);
    assert_comes(viewer, stats().plis == 51);
    assert_in_range(atomic_load(&channel.idr_wishes) - wishes, 2, 5);
    drop_client(viewer.client);
    close_channel();
}

static void loss_of_a_report_shows_in_the_statistics(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->sender_reports > 0);
    client_report(viewer.client, 64);
    assert_comes(viewer, stats().loss_fraction_max > 0.24);
    assert_true(stats().loss_fraction_max < 0.26);
    assert_comes(viewer, stats().round_trip_ms_max > 0); /* the mock does not say its delay */
    client_replay(viewer.client);
    assert_comes(viewer, stats().srtp_failures >= 1);
    drop_client(viewer.client);
    close_channel();
}

static void lost_flights_of_the_handshake_are_repeated(void **state)
{
    static const struct client_options LAST = {.lose_last_flight = true}, FIRST = {.lose_first_flight = true};
    open_channel(1, 10, 10);
    struct viewer viewers[] = {join(&LAST), join(&FIRST)};
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->frames > 0 && viewers[1].client->frames > 0));
    for (int i = 0; i < 2; i++) {
        assert_true(viewers[i].client->lost_flights > 0);
        drop_client(viewers[i].client);
    }
    close_channel();
}

static void wrong_certificate_is_refused(void **state)
{
    static const struct client_options WRONG = {.wrong_fingerprint = true};
    open_channel(1, 10, 10);
    struct viewer viewer = join(&WRONG);
    assert_comes(viewer, stats().handshake_failures == 1);
    assert_int_equal(stats().viewers, 0);
    assert_int_equal(stats().connecting, 0);
    assert_int_equal(viewer.client->video_packets, 0);
    drop_client(viewer.client);
    close_channel();
}

static void role_conflict_is_answered_with_487(void **state)
{
    static const struct client_options WRONG = {.wrong_role = true};
    open_channel(1, 10, 10);
    struct viewer viewer = join(&WRONG);
    assert_comes(viewer, viewer.client->frames > 0);
    assert_true(viewer.client->role_conflicts > 0);
    drop_client(viewer.client);
    close_channel();
}

static void stranger_gets_no_answer(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    char right[64];
    memcpy(right, viewer.client->server_pwd, sizeof right);
    viewer.client->server_pwd[0] ^= 1;
    assert_comes(viewer, cp_webrtc_stats(channel.webrtc, NULL).stun_refused >= 3);
    assert_int_equal(viewer.client->checks_answered, 0);
    /* Random datagrams of every first byte, from an address that nobody knows. */
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(cp_webrtc_port(channel.webrtc)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t junk[600];
    for (int i = 0; i < 256; i++) {
        for (size_t k = 0; k < sizeof junk; k++)
            junk[k] = (uint8_t)(i * 31 + (int)k * 17);
        junk[0] = (uint8_t)i;
        sendto(fd, junk, (size_t)(1 + i * 2), 0, (struct sockaddr *)&to, sizeof to);
    }
    memcpy(viewer.client->server_pwd, right, sizeof right);
    assert_comes(viewer, viewer.client->frames > 5);
    assert_int_equal(recv(fd, junk, sizeof junk, 0), -1);
    close(fd);
    drop_client(viewer.client);
    close_channel();
}

static void silent_viewer_is_dropped(void **state)
{
    open_channel(1, 10, 1);
    struct viewer viewers[] = {join(NULL), join(NULL)};
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->frames > 5 && viewers[1].client->frames > 5));
    viewers[0].client->silent = true;
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->closed));
    assert_int_equal(viewers[0].client->byes, 1);
    assert_false(viewers[1].client->closed);
    assert_int_equal(stats().viewers, 1);
    for (int i = 0; i < 2; i++)
        drop_client(viewers[i].client);
    close_channel();
}

static void viewer_that_closes_leaves_at_once(void **state)
{
    open_channel(1, 10, 60);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames > 5);
    client_close(viewer.client);
    assert_comes(viewer, stats().viewers == 0);
    assert_int_equal(atomic_load(&channel.left), 1);
    drop_client(viewer.client);
    close_channel();
}

static void restart_goes_on_with_new_credentials(void **state)
{
    char fragment[1024], ufrag[64] = "", pwd[64] = "";
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames > 5);
    char trickle[128];
    snprintf(trickle, sizeof trickle, "a=ice-ufrag:%s\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n",
             viewer.client->ufrag);
    assert_int_equal(cp_webrtc_patch(channel.webrtc, viewer.session, trickle, strlen(trickle), fragment,
                                     sizeof fragment, NULL),
                     0);
    assert_string_equal(fragment, ""); /* only a candidate */
    static const char RESTART[] = "a=ice-ufrag:newu\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n";
    assert_int_equal(cp_webrtc_patch(channel.webrtc, viewer.session, RESTART, strlen(RESTART), fragment,
                                     sizeof fragment, NULL),
                     0);
    assert_int_equal(sscanf(fragment, "a=ice-lite a=ice-ufrag:%63s a=ice-pwd:%63s", ufrag, pwd), 2);
    strcpy(viewer.client->ufrag, "newu");
    client_restart(viewer.client, ufrag, pwd);
    int frames = viewer.client->frames;
    assert_comes(viewer, viewer.client->checks_answered > 0 && viewer.client->frames > frames + 5);
    assert_int_equal(cp_webrtc_patch(channel.webrtc, "no such session", RESTART, strlen(RESTART), fragment,
                                     sizeof fragment, NULL),
                     CP_ERR_NOT_FOUND);
    drop_client(viewer.client);
    close_channel();
}

static void viewers_past_the_limit_are_refused(void **state)
{
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES];
    open_channel(1, 2, 10);
    struct viewer viewers[] = {join(NULL), join(NULL)};
    struct client *third = make_client(NULL);
    const char *offer = client_offer(third);
    struct cp_error error;
    assert_int_equal(
        cp_webrtc_offer(channel.stream, offer, strlen(offer), answer, sizeof answer, session, &error),
        CP_ERR_BUSY);
    assert_int_equal(cp_webrtc_delete(channel.webrtc, viewers[0].session, NULL), 0);
    assert_int_equal(
        cp_webrtc_offer(channel.stream, offer, strlen(offer), answer, sizeof answer, session, &error), 0);
    assert_int_equal(cp_webrtc_offer(channel.stream, "hello", 5, answer, sizeof answer, session, &error),
                     CP_ERR_FORMAT);
    drop_client(third);
    drop_client(viewers[0].client);
    drop_client(viewers[1].client);
    close_channel();
}

static void each_packet_is_reported_sent_once(void **state)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        open_channel(threads, 10, 10);
        usleep(100000); /* nobody watches */
        struct viewer viewer = join(NULL);
        assert_comes(viewer, viewer.client->frames > 10);
        stop_media();
        int pushed = atomic_load(&channel.pushed);
        assert_comes(viewer, atomic_load(&channel.sent) >= pushed);
        usleep(20000);
        assert_int_equal(atomic_load(&channel.sent), pushed);
        assert_int_equal(stats().dropped_behind, 0);
        drop_client(viewer.client);
        close_channel();
    }
}

static void destroyed_stream_says_goodbye(void **state)
{
    open_channel(2, 10, 10);
    struct viewer viewers[] = {join(NULL), join(NULL)};
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->frames > 5 && viewers[1].client->frames > 5));
    stop_media();
    uint64_t sent = stats().packets_sent;
    cp_webrtc_stream_destroy(channel.stream);
    assert_true(WAIT_FOR(viewers, 2, viewers[0].client->closed && viewers[1].client->closed));
    assert_int_equal(viewers[0].client->byes + viewers[1].client->byes, 2);
    assert_true(sent > 0 && cp_webrtc_stats(channel.webrtc, NULL).packets_sent >= sent); /* totals stay */
    assert_int_equal(atomic_load(&channel.sent), atomic_load(&channel.pushed));
    assert_int_equal(cp_webrtc_stats(channel.webrtc, NULL).viewers, 0);
    channel.stream = NULL;
    for (int i = 0; i < 2; i++)
        drop_client(viewers[i].client);
    close_channel();
}

/* thread: net */
static void crowd_from_one_on(struct cp_net *net, void *arg)
{
    net->webrtc->hold_sound_from = 1;
}

static void sound_of_a_crowd_goes_with_the_picture(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames > 10);
    int sounds = viewer.client->audio_packets, frames = viewer.client->frames;
    cp_net_run(&channel.webrtc->nets[0], crowd_from_one_on, NULL);
    assert_comes(viewer, viewer.client->frames > frames + 50);
    assert_in_range(viewer.client->audio_packets - sounds, 40, 60); /* one a frame, as they come */
    assert_int_equal(viewer.client->gaps + viewer.client->sound_gaps, 0);
    assert_int_equal(viewer.client->unprotect_failures, 0);
    stop_media(); /* what is held goes out even if no picture comes */
    assert_comes(viewer, atomic_load(&channel.sent) == atomic_load(&channel.pushed));
    drop_client(viewer.client);
    close_channel();
}

static void net_thread_that_is_behind_goes_on_at_a_key_frame(void **state)
{
    open_channel(1, 10, 10);
    struct viewer viewer = join(NULL);
    assert_comes(viewer, viewer.client->frames > 10);
    int keys = viewer.client->key_frames;
    atomic_store(&channel.slow, true); /* takes 30 ms a packet; 200 a second come */
    assert_comes(viewer, stats().dropped_behind > 20);
    atomic_store(&channel.slow, false);
    assert_comes(viewer, viewer.client->key_frames > keys);
    int frames = viewer.client->frames;
    assert_comes(viewer, viewer.client->frames > frames + 20);
    assert_int_equal(viewer.client->gaps, 0); /* the numbers have no hole: nothing to ask for */
    assert_int_equal(viewer.client->broken_frames, 0);
    assert_int_equal(viewer.client->unprotect_failures, 0);
    stop_media();
    assert_comes(viewer, atomic_load(&channel.sent) == atomic_load(&channel.pushed));
    drop_client(viewer.client);
    close_channel();
}

/* With three sockets the kernel gives most datagrams to a thread that does not own the viewer. */
static void twenty_viewers_on_three_threads_all_see_everything(void **state)
{
    enum { N = 20 };
    struct viewer viewers[N];
    open_channel(3, 30, 10);
    for (int i = 0; i < N; i++)
        viewers[i] = join(NULL);
    int slowest = 0;
    assert_true(WAIT_FOR(viewers, N, ({
                             slowest = 1 << 30;
                             for (int k = 0; k < N; k++)
                                 if (viewers[k].client->frames < slowest)
                                     slowest = viewers[k].client->frames;
                             slowest >= 10;
                         })));
    assert_int_equal(stats().viewers, N);
    assert_int_equal(atomic_load(&channel.joined), N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(viewers[i].client->unprotect_failures, 0);
        assert_int_equal(viewers[i].client->broken_frames, 0);
        assert_true(viewers[i].client->first_was_key);
        drop_client(viewers[i].client);
    }
    close_channel();
}

static int count_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void churn_leaves_nothing_behind(void **state)
{
    open_channel(1, 10, 10);
    size_t used = 0;
    int files = 0;
    for (int i = 0; i < 200; i++) {
        struct viewer viewer = join(NULL);
        assert_comes(viewer, viewer.client->connected);
        if (i % 3 == 0)
            client_close(viewer.client);
        assert_true(i % 3 == 0 || !cp_webrtc_delete(channel.webrtc, viewer.session, NULL));
        drop_client(viewer.client);
        assert_true(WAIT_FOR(&viewer, 0, stats().viewers + stats().connecting == 0));
        if (i == 99) { /* caches have grown by now */
            used = mallinfo2().uordblks;
            files = count_files();
        }
    }
    assert_int_equal(count_files(), files);
    assert_in_range(mallinfo2().uordblks, 0, used + 20000); /* 100 viewers leaked 75 kB each otherwise */
    assert_int_equal(stats().handshakes, 200);
    close_channel();
}

static void ipv6_address_is_offered_and_bound(void **state)
{
    struct cp_webrtc_config config = {.listen = "[::1]:0", .max_viewers = 1, .idle_s = 5};
    struct cp_webrtc *webrtc;
    struct cp_webrtc_stream *stream;
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES], expected[64];
    struct cp_error error;
    if (cp_webrtc_create(&config, &webrtc, &error))
        skip(); /* no IPv6 here */
    assert_int_equal(cp_webrtc_stream_create(webrtc, NULL, NULL, &stream, NULL), 0);
    struct client *client = make_client(NULL);
    const char *offer = client_offer(client);
    assert_int_equal(cp_webrtc_offer(stream, offer, strlen(offer), answer, sizeof answer, session, NULL), 0);
    snprintf(expected, sizeof expected, " ::1 %u typ host", cp_webrtc_port(webrtc));
    assert_non_null(strstr(answer, expected));
    drop_client(client);
    cp_webrtc_destroy(webrtc); /* takes the stream along */
}

static void wildcard_offers_real_addresses_and_answers_from_them(void **state)
{
    static const char *const WILDCARDS[] = {"0.0.0.0:0", "[::]:0"};
    struct cp_webrtc_config config = {.max_viewers = 1, .idle_s = 5};
    char answer[8192], session[CP_WEBRTC_SESSION_BYTES];
    struct cp_webrtc *webrtc;
    struct cp_webrtc_stream *stream;
    char offer[8192] = "";
    for (int i = 0; i < 2; i++) {
        strcpy(config.listen, WILDCARDS[i]);
        if (cp_webrtc_create(&config, &webrtc, NULL))
            continue; /* no IPv6 here */
        assert_int_equal(cp_webrtc_stream_create(webrtc, NULL, NULL, &stream, NULL), 0);
        struct client *client = make_client(NULL);
        snprintf(offer, sizeof offer, "%s", client_offer(client));
        assert_int_equal(cp_webrtc_offer(stream, offer, strlen(offer), answer, sizeof answer, session, NULL),
                         0);
        assert_null(strstr(answer, " 0.0.0.0 1"));
        assert_true(client_take_answer(client, answer)); /* its socket takes answers from there only */
        struct viewer viewer = {.client = client};
        assert_comes(viewer, viewer.client->connected);
        drop_client(client);
        cp_webrtc_destroy(webrtc);
    }
    strcpy(config.listen, "0.0.0.0:0");
    snprintf(config.public_address, sizeof config.public_address, "203.0.113.9");
    assert_int_equal(cp_webrtc_create(&config, &webrtc, NULL), 0);
    assert_int_equal(cp_webrtc_stream_create(webrtc, NULL, NULL, &stream, NULL), 0);
    assert_int_equal(cp_webrtc_offer(stream, offer, strlen(offer), answer, sizeof answer, session, NULL), 0);
    assert_non_null(strstr(answer, " 203.0.113.9 "));
    cp_webrtc_destroy(webrtc);
}

static void bad_addresses_and_taken_ports_are_named(void **state)
{
    struct cp_webrtc_config config = {.listen = "127.0.0.1:0", .max_viewers = 1, .idle_s = 5};
    struct cp_webrtc *first, *second;
    struct cp_error error;
    assert_int_equal(cp_webrtc_create(&config, &first, NULL), 0);
    snprintf(config.listen, sizeof config.listen, "127.0.0.1:%u", cp_webrtc_port(first));
    assert_int_equal(cp_webrtc_create(&config, &second, &error), CP_ERR_IO);
    assert_non_null(strstr(error.text, "in use"));
    cp_webrtc_destroy(first);
    strcpy(config.listen, "nonsense");
    assert_int_equal(cp_webrtc_create(&config, &second, &error), CP_ERR_INVALID);
}

static int setup(void **state)
{
    return !client_setup();
}

#define CASE(function) cmocka_unit_test_teardown(function, leave_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(viewer_gets_whole_frames_and_sound_from_a_key_frame_on),
        CASE(viewer_may_have_aes_cm_or_no_sound),
        CASE(report_maps_both_clocks_to_the_moment_of_capture),
        CASE(nack_is_answered_from_the_history),
        CASE(nacks_past_the_budget_are_not_answered),
        CASE(picture_loss_brings_a_key_frame_within_a_budget),
        CASE(loss_of_a_report_shows_in_the_statistics),
        CASE(lost_flights_of_the_handshake_are_repeated),
        CASE(wrong_certificate_is_refused),
        CASE(role_conflict_is_answered_with_487),
        CASE(stranger_gets_no_answer),
        CASE(silent_viewer_is_dropped),
        CASE(viewer_that_closes_leaves_at_once),
        CASE(restart_goes_on_with_new_credentials),
        CASE(viewers_past_the_limit_are_refused),
        CASE(each_packet_is_reported_sent_once),
        CASE(destroyed_stream_says_goodbye),
        CASE(sound_of_a_crowd_goes_with_the_picture),
        CASE(net_thread_that_is_behind_goes_on_at_a_key_frame),
        CASE(twenty_viewers_on_three_threads_all_see_everything),
        CASE(churn_leaves_nothing_behind),
        CASE(ipv6_address_is_offered_and_bound),
        CASE(wildcard_offers_real_addresses_and_answers_from_them),
        CASE(bad_addresses_and_taken_ports_are_named),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
