/*
 * The cards of one channel: made on a thread of their own while their lines are prepared, and found there by
 * the draw thread, which never waits for one: a card that is not ready is not shown yet.
 */
#ifndef CP_APP_CARDS_H
#define CP_APP_CARDS_H

#include "app/app.h"

struct cp_cards;

/* For pictures of width x height. store: of the products' pictures, or NULL: their ids are paths of files.
 * observe: may be NULL. */
int cp_cards_create(struct cp_store *store, struct cp_observe *observe, const char *channel, int width,
                    int height, struct cp_cards **ret_cards, struct cp_error *error);
/* The draw thread must have stopped. */
void cp_cards_destroy(struct cp_cards *cards);

/* Has the card made, if it is not there. Any thread; returns at once. An empty one is ignored. */
void cp_cards_prepare(struct cp_cards *cards, const struct cp_card_spec *spec);
/* Waits until all that was asked for is made: for who renders offline. */
void cp_cards_wait(struct cp_cards *cards);

/* The card, or NULL when it is not there (yet). It lives until the next call unless it is the one kept.
 * thread: draw */
const struct cp_card *cp_cards_find(struct cp_cards *cards, const struct cp_card_spec *spec);
/* This one, just found or kept before, is shown: it lives until another one (or NULL) is kept. thread: draw
 */
void cp_cards_keep(struct cp_cards *cards, const struct cp_card *card);

#endif
