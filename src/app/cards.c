#include "app/cards.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PLACES        8 /* the line on air, the next, and some that may come again */
#define WANTED        8 /* that wait to be made; one more takes the place of the oldest */
#define NICE          5
#define LOOK_AGAIN_NS (10 * CP_NS_PER_MS)
#define PICTURE_BYTES ((size_t)CP_FOOTAGE_MAX_PICTURE_BYTES)

struct cp_cards {
    struct cp_store *store;
    char channel[40];
    int width, height;
    struct cp_metric *made, *failed, *missing, *seconds; /* NULL without observe */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the wanted */
    pthread_cond_t work, idle;
    bool started, stopping, busy;
    struct cp_card_spec wanted[WANTED];
    int n_wanted;
    /* Written by the cards thread only. The draw thread says which card it looks at and which it shows before
     * it uses them, and looks again that they are still there: what is named in neither can go (hazard
     * pointers). */
    _Atomic(struct cp_card *) place[PLACES];
    _Atomic(const struct cp_card *) looked_at, kept;
    uint64_t used[PLACES], clock; /* the cards thread's */
};

/* --- the cards thread --- */

static int place_of(struct cp_cards *cards, const struct cp_card_spec *spec)
{
    for (int i = 0; i < PLACES; i++) {
        const struct cp_card *card = atomic_load(&cards->place[i]);
        if (card && cp_card_is_same(cp_card_spec_of(card), spec))
            return i;
    }
    return -1;
}

static bool is_in_use(struct cp_cards *cards, const struct cp_card *card)
{
    return card && (atomic_load(&cards->looked_at) == card || atomic_load(&cards->kept) == card);
}

/* The bytes of a product's picture; an empty buffer when there are none. */
static void read_picture(struct cp_cards *cards, const char *id, struct cp_buffer *bytes)
{
    struct cp_error error = {.text = ""};
    if (!*id)
        return;
    int result = 0;
    if (cards->store && !strchr(id, '/')) { /* a path only comes from who renders on their own machine */
        result = cp_asset_read(cards->store, CP_ASSET_MEDIA, id, bytes, NULL, &error);
    } else {
        FILE *file = fopen(id, "rb");
        result = file ? 0 : cp_fail(&error, CP_ERR_NOT_FOUND, "app", "cannot open %.200s", id);
        for (size_t n = 1; file && n;) {
            uint8_t *to = cp_buffer_reserve(bytes, 65536);
            n = to ? fread(to, 1, 65536, file) : 0;
            bytes->length += n;
        }
        if (file)
            fclose(file);
    }
    if (result || bytes->failed)
        cp_log(CP_LOG_WARN, "app", "card without its picture", "channel=%s picture=%s error=\"%s\"",
               cards->channel, id, error.text);
}

/* An empty place, else that of the card unused longest; at most two are in use. */
static int choose_place(struct cp_cards *cards)
{
    int at = -1;
    for (int i = 0; i < PLACES; i++) {
        const struct cp_card *there = atomic_load(&cards->place[i]);
        if (!there)
            return i;
        if (!is_in_use(cards, there) && (at < 0 || cards->used[i] < cards->used[at]))
            at = i;
    }
    return at < 0 ? 0 : at;
}

static void put(struct cp_cards *cards, struct cp_card *card)
{
    int at = choose_place(cards);
    cards->used[at] = ++cards->clock;
    struct cp_card *old = atomic_exchange(&cards->place[at], card);
    while (is_in_use(cards, old))
        cp_clock_sleep_until_ns(cp_clock_now_ns() + LOOK_AGAIN_NS);
    cp_ref_drop(old);
}

static void make(struct cp_cards *cards, struct cp_card_maker *maker, const struct cp_card_spec *spec)
{
    struct cp_error error = {.text = ""};
    struct cp_buffer bytes = cp_buffer_make(PICTURE_BYTES);
    struct cp_card *card = NULL;
    int64_t began_ns = cp_clock_now_ns();
    int missing = cp_card_maker_missing(maker);
    read_picture(cards, spec->picture, &bytes);
    int result = cp_card_make(maker, spec, bytes.length ? bytes.data : NULL, bytes.length, cards->width,
                              cards->height, &card, &error);
    cp_buffer_free(&bytes);
    if (cards->made) {
        cp_metric_add(result ? cards->failed : cards->made, 1);
        cp_metric_add(cards->missing, cp_card_maker_missing(maker) - missing);
        cp_metric_observe_ns(cards->seconds, cp_clock_now_ns() - began_ns);
    }
    if (result)
        cp_log(CP_LOG_WARN, "app", "card not made", "channel=%s error=\"%s\"", cards->channel, error.text);
    else
        put(cards, card);
}

/* Waits for the next one that is wanted; false to stop. */
static bool take(struct cp_cards *cards, struct cp_card_spec *ret_spec)
{
    pthread_mutex_lock(&cards->lock);
    cards->busy = false;
    if (!cards->n_wanted)
        pthread_cond_broadcast(&cards->idle);
    while (!cards->n_wanted && !cards->stopping)
        pthread_cond_wait(&cards->work, &cards->lock);
    bool go_on = !cards->stopping;
    if (go_on) {
        *ret_spec = cards->wanted[0];
        memmove(cards->wanted, cards->wanted + 1, (size_t)--cards->n_wanted * sizeof *ret_spec);
        cards->busy = true;
    }
    pthread_mutex_unlock(&cards->lock);
    return go_on;
}

static void *run_cards(void *arg)
{
    struct cp_cards *cards = arg;
    struct cp_card_maker *maker = NULL;
    struct cp_card_spec spec;
    struct cp_error error;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* this thread's only, on Linux */
    if (cp_card_maker_create(&maker, &error))
        cp_log(CP_LOG_ERROR, "app", "no cards", "channel=%s error=\"%s\"", cards->channel, error.text);
    while (take(cards, &spec)) {
        int at = place_of(cards, &spec);
        if (at >= 0)
            cards->used[at] = ++cards->clock;
        else if (maker)
            make(cards, maker, &spec);
    }
    cp_card_maker_destroy(maker);
    return NULL;
}

/* --- what others ask --- */

void cp_cards_prepare(struct cp_cards *cards, const struct cp_card_spec *spec)
{
    if (cp_card_is_empty(spec))
        return;
    pthread_mutex_lock(&cards->lock);
    if (cards->n_wanted == WANTED)
        memmove(cards->wanted, cards->wanted + 1, (size_t)--cards->n_wanted * sizeof *spec);
    cards->wanted[cards->n_wanted++] = *spec;
    pthread_cond_signal(&cards->work);
    pthread_mutex_unlock(&cards->lock);
}

void cp_cards_wait(struct cp_cards *cards)
{
    pthread_mutex_lock(&cards->lock);
    while (cards->n_wanted || cards->busy)
        pthread_cond_wait(&cards->idle, &cards->lock);
    pthread_mutex_unlock(&cards->lock);
}

const struct cp_card *cp_cards_find(struct cp_cards *cards, const struct cp_card_spec *spec)
{
    for (int i = 0; i < PLACES; i++) {
        const struct cp_card *card = atomic_load(&cards->place[i]);
        atomic_store(&cards->looked_at, card);
        if (card && atomic_load(&cards->place[i]) == card && cp_card_is_same(cp_card_spec_of(card), spec))
            return card;
    }
    atomic_store(&cards->looked_at, NULL);
    return NULL;
}

void cp_cards_keep(struct cp_cards *cards, const struct cp_card *card)
{
    atomic_store(&cards->kept, card);
}

/* --- start and stop --- */

int cp_cards_create(struct cp_store *store, struct cp_observe *observe, const char *channel, int width,
                    int height, struct cp_cards **ret_cards, struct cp_error *error)
{
    struct cp_cards *cards = calloc(1, sizeof *cards);
    char label[96], labels[128];
    if (!cards)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    cards->store = store;
    cards->width = width;
    cards->height = height;
    snprintf(cards->channel, sizeof cards->channel, "%s", channel);
    pthread_mutex_init(&cards->lock, NULL);
    pthread_cond_init(&cards->work, NULL);
    pthread_cond_init(&cards->idle, NULL);
    if (observe) {
        cp_observe_label(label, sizeof label, "channel", channel);
        snprintf(labels, sizeof labels, "%s,result=\"made\"", label);
        cards->made = cp_counter(observe, "compere_cards_total", labels, "Cards made, by result");
        snprintf(labels, sizeof labels, "%s,result=\"failed\"", label);
        cards->failed = cp_counter(observe, "compere_cards_total", labels, "Cards made, by result");
        cards->missing = cp_counter(observe, "compere_card_characters_missing_total", label,
                                    "Characters on cards that no installed font has");
        cards->seconds = cp_histogram(observe, "compere_card_seconds", label, "Time to make a card");
    }
    if (cp_thread_start(&cards->thread, "cards", run_cards, cards)) {
        cp_cards_destroy(cards);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start a thread");
    }
    cards->started = true;
    *ret_cards = cards;
    return 0;
}

void cp_cards_destroy(struct cp_cards *cards)
{
    if (!cards)
        return;
    cp_cards_keep(cards, NULL);
    atomic_store(&cards->looked_at, NULL);
    pthread_mutex_lock(&cards->lock);
    cards->stopping = true;
    pthread_cond_signal(&cards->work);
    pthread_mutex_unlock(&cards->lock);
    if (cards->started)
        pthread_join(cards->thread, NULL);
    for (int i = 0; i < PLACES; i++)
        cp_ref_drop(atomic_load(&cards->place[i]));
    pthread_cond_destroy(&cards->work);
    pthread_cond_destroy(&cards->idle);
    pthread_mutex_destroy(&cards->lock);
    free(cards);
}
