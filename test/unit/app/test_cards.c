/* Cards made on one thread and shown on another. */
#include "app/cards.h"

#include "base/clock.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180, MANY = 60 };

/* The store is not asked for pictures here. */
int cp_asset_read(struct cp_store *store, enum cp_asset_kind kind, const char *id, struct cp_buffer *out,
                  char *ret_type, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "test", "no pictures here");
}

static struct cp_cards *cards;

static int open_cards(void **state)
{
    return cp_cards_create(NULL, NULL, "test", WIDTH, HEIGHT, &cards, NULL);
}

static int close_cards(void **state)
{
    cp_cards_destroy(cards);
    return 0;
}

static struct cp_card_spec numbered(int n)
{
    struct cp_card_spec spec = {.price = "1"};
    snprintf(spec.title, sizeof spec.title, "Number %d", n);
    return spec;
}

static void a_card_is_there_when_it_was_asked_for(void **state)
{
    struct cp_card_spec spec = numbered(1), other = numbered(2), none = {.title = ""};
    assert_null(cp_cards_find(cards, &spec));
    cp_cards_prepare(cards, &none);
    cp_cards_prepare(cards, &spec);
    cp_cards_wait(cards);
    const struct cp_card *card = cp_cards_find(cards, &spec);
    assert_non_null(card);
    assert_true(cp_card_is_same(cp_card_spec_of(card), &spec));
    assert_null(cp_cards_find(cards, &other));
    assert_null(cp_cards_find(cards, &none));
    cp_cards_prepare(cards, &spec); /* it is not made twice */
    cp_cards_wait(cards);
    assert_ptr_equal(cp_cards_find(cards, &spec), card);
}

static void a_missing_picture_is_left_out(void **state)
{
    struct cp_card_spec spec = numbered(1);
    snprintf(spec.picture, sizeof spec.picture, "/nowhere/to/be/found.png");
    cp_cards_prepare(cards, &spec);
    cp_cards_wait(cards);
    assert_non_null(cp_cards_find(cards, &spec));
}

static void the_kept_card_outlives_all_others(void **state)
{
    struct cp_card_spec kept = numbered(0);
    cp_cards_prepare(cards, &kept);
    cp_cards_wait(cards);
    const struct cp_card *card = cp_cards_find(cards, &kept);
    cp_cards_keep(cards, card);
    for (int n = 1; n < 30; n++) {
        struct cp_card_spec spec = numbered(n);
        cp_cards_prepare(cards, &spec);
        cp_cards_wait(cards);
        assert_non_null(cp_cards_find(cards, &spec));
    }
    assert_string_equal(cp_card_spec_of(card)->title, "Number 0");
    cp_cards_keep(cards, NULL);
}

static atomic_bool stop;
static atomic_int seen, wrong;

/* Looks for cards as a draw thread does, keeps what it finds, and reads it. */
static void *look(void *arg)
{
    const struct cp_card *kept = NULL;
    char title[sizeof((struct cp_card_spec *)0)->title] = "";
    for (int n = 0; !atomic_load(&stop); n++) {
        struct cp_card_spec spec = numbered(n % MANY);
        const struct cp_card *card = cp_cards_find(cards, &spec);
        if (kept && strcmp(cp_card_spec_of(kept)->title, title))
            atomic_fetch_add(&wrong, 1);
        if (!card)
            continue;
        atomic_fetch_add(&seen, 1);
        if (!cp_card_is_same(cp_card_spec_of(card), &spec))
            atomic_fetch_add(&wrong, 1);
        cp_cards_keep(cards, kept = card);
        snprintf(title, sizeof title, "%s", spec.title);
    }
    cp_cards_keep(cards, NULL);
    return NULL;
}

static void cards_come_and_go_while_they_are_shown(void **state)
{
    pthread_t thread;
    atomic_store(&stop, false);
    assert_int_equal(cp_thread_start(&thread, "draw", look, NULL), 0);
    for (int n = 0; n < 3 * MANY; n++) {
        struct cp_card_spec spec = numbered(n * 7 % MANY);
        cp_cards_prepare(cards, &spec);
        cp_cards_wait(cards);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&seen) > 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_cards, close_cards)
    const struct CMUnitTest tests[] = {
        CASE(a_card_is_there_when_it_was_asked_for),
        CASE(a_missing_picture_is_left_out),
        CASE(the_kept_card_outlives_all_others),
        CASE(cards_come_and_go_while_they_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
