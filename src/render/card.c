#include "render/render_int.h"

#include <stdlib.h>

struct card {
    int width, height;
};

int cp_card_create(int width, int height, struct card **ret_card, struct cp_error *error)
{
    struct card *card = calloc(1, sizeof *card);
    if (!card)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the lower third.");
    card->width = width;
    card->height = height;
    *ret_card = card;
    return 0;
}

void cp_card_destroy(struct card *card)
{
    free(card);
}

void cp_card_draw(struct card *card, const struct cp_view *view, struct cp_picture *picture)
{
}
