/* What a line's JSON says of its card. */
#include "show/show.h"

#include <stdio.h>
#include <string.h>

/* Copies what fits, never half a character. */
static void put(char *to, size_t capacity, const char *from, size_t length)
{
    size_t n = length < capacity - 1 ? length : capacity - 1;
    while (n && n < length && ((unsigned char)from[n] & 0xc0) == 0x80)
        n--;
    memcpy(to, from, n);
    to[n] = 0;
}

static void put_field(const json_t *card, const char *field, char *to, size_t capacity)
{
    const char *text = json_string_value(json_object_get(card, field));
    if (text)
        put(to, capacity, text, strlen(text));
}

void cp_show_card_of(const json_t *channel, const json_t *line, struct cp_card_spec *ret_card)
{
    const json_t *card = json_object_get(line, "card"), *screen = json_object_get(line, "screen");
    const char *text = json_string_value(card);
    memset(ret_card, 0, sizeof *ret_card);
    if (text) {
        text += strspn(text, "\n");
        size_t title = strcspn(text, "\n");
        put(ret_card->title, sizeof ret_card->title, text, title);
        text += title + strspn(text + title, "\n");
        put(ret_card->text, sizeof ret_card->text, text, strlen(text));
    } else if (json_is_object(card)) {
        char side[8] = "";
        put_field(card, "title", ret_card->title, sizeof ret_card->title);
        put_field(card, "text", ret_card->text, sizeof ret_card->text);
        put_field(card, "price", ret_card->price, sizeof ret_card->price);
        put_field(card, "picture", ret_card->picture, sizeof ret_card->picture);
        put_field(card, "side", side, sizeof side);
        ret_card->side = !strcmp(side, "left")    ? CP_CARD_LEFT
                         : !strcmp(side, "right") ? CP_CARD_RIGHT
                                                  : CP_CARD_SIDE_UNSET;
    }
    const char *shows = json_string_value(screen ? screen : json_object_get(channel, "screen"));
    ret_card->on_screen = !cp_card_is_empty(ret_card) && shows && !strcmp(shows, CP_SHOW_SCREEN_CARD);
}
