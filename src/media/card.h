/* What stands on a card: a lower third, or a product with its picture and price. A plain value. */
#ifndef CP_MEDIA_CARD_H
#define CP_MEDIA_CARD_H

#include <stdbool.h>

enum cp_card_side { CP_CARD_SIDE_UNSET, CP_CARD_LEFT, CP_CARD_RIGHT };

#define CP_CARD_PRICE_CHARS 24

struct cp_card_spec {
    char title[160], text[240]; /* UTF-8; a text's lines are parted by newlines */
    char price[100];            /* at most CP_CARD_PRICE_CHARS characters of UTF-8 */
    char picture[256];      /* an uploaded picture's id, a path for who renders on their own machine, or "" */
    enum cp_card_side side; /* of the picture; unset: left for a lower third, right for a product */
    bool on_screen;         /* on the set's screen, where there is one, instead of over the picture */
};

bool cp_card_is_empty(const struct cp_card_spec *card);
bool cp_card_is_same(const struct cp_card_spec *a, const struct cp_card_spec *b);

#endif
