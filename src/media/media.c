#include "media/card.h"
#include "media/clock.h"
#include "media/marks.h"
#include "media/model.h"
#include "media/moment.h"
#include "media/packet.h"
#include "media/picture.h"
#include "media/shapes.h"
#include "media/utterance.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const STEP[] = {NULL, "asked", "answered", "spoken", "posed", "drawn", "encoded", "sent"};
static const char *const VISEME[] = {"",   "sil", "PP", "FF", "TH", "DD", "kk", "CH",
                                     "SS", "nn",  "RR", "aa", "E",  "ih", "oh", "ou"};
static const char *const MARK[] = {"", "sentence", "word", "phone", "viseme", "mark"};
static const char *const EMOTION[] = {"",        "neutral",   "warm", "happy",
                                      "serious", "surprised", "sad",  "thinking"};
static const char *const LOOK[] = {"", "camera", "card", "notes", "partner"};
static const char *const SURFACE[] = {"",     "plain", "skin", "eye",   "teeth", "mouth",
                                      "hair", "cloth", "lash", "metal", "toon"};
#define X(symbol, name) name,
static const char *const BONE[] = {"", CP_BONES(X)};
#undef X
#define X(name) #name,
static const char *const SHAPE[] = {"", CP_SHAPES(X)};
#undef X

_Static_assert(COUNT(STEP) == CP_STEP_COUNT, "a step has no name");
_Static_assert(COUNT(VISEME) == CP_VISEME_COUNT, "a viseme has no name");
_Static_assert(COUNT(EMOTION) == CP_EMOTION_COUNT, "an emotion has no name");
_Static_assert(COUNT(LOOK) == CP_LOOK_COUNT, "a look has no name");
_Static_assert(COUNT(SURFACE) == CP_SURFACE_COUNT, "a surface has no name");
_Static_assert(COUNT(BONE) == CP_BONE_COUNT, "a bone has no name");
_Static_assert(COUNT(SHAPE) == CP_SHAPE_COUNT, "a shape has no name");

static const char *name_of(const char *const *names, size_t count, int index)
{
    return index >= 0 && (size_t)index < count ? names[index] : "";
}

/* The index of a name, or 0 (the unset value) when it is empty or unknown. */
static int index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 1; i < count; i++)
        if (!strcmp(names[i], name))
            return (int)i;
    return 0;
}

const char *cp_step_name(enum cp_step step)
{
    return step > CP_STEP_UNSET && step < CP_STEP_COUNT ? STEP[step] : NULL;
}

const char *cp_viseme_name(enum cp_viseme viseme)
{
    return name_of(VISEME, COUNT(VISEME), viseme);
}

enum cp_viseme cp_viseme_from_name(const char *name)
{
    return index_of(VISEME, COUNT(VISEME), name);
}

const char *cp_mark_type_name(enum cp_mark_type type)
{
    return name_of(MARK, COUNT(MARK), type);
}

const char *cp_emotion_name(enum cp_emotion emotion)
{
    return name_of(EMOTION, COUNT(EMOTION), emotion);
}

enum cp_emotion cp_emotion_from_name(const char *name)
{
    return index_of(EMOTION, COUNT(EMOTION), name);
}

const char *cp_look_name(enum cp_look look)
{
    return name_of(LOOK, COUNT(LOOK), look);
}

enum cp_look cp_look_from_name(const char *name)
{
    return index_of(LOOK, COUNT(LOOK), name);
}

const char *cp_shape_name(enum cp_shape shape)
{
    return name_of(SHAPE, COUNT(SHAPE), shape);
}

enum cp_shape cp_shape_from_name(const char *name)
{
    return index_of(SHAPE, COUNT(SHAPE), name);
}

const char *cp_bone_name(enum cp_bone bone)
{
    return name_of(BONE, COUNT(BONE), bone);
}

const char *cp_surface_name(enum cp_surface surface)
{
    return name_of(SURFACE, COUNT(SURFACE), surface);
}

enum cp_surface cp_surface_from_name(const char *name)
{
    return index_of(SURFACE, COUNT(SURFACE), name);
}

bool cp_card_is_empty(const struct cp_card_spec *card)
{
    return !*card->title && !*card->text && !*card->price && !*card->picture;
}

bool cp_card_is_same(const struct cp_card_spec *a, const struct cp_card_spec *b)
{
    return a->side == b->side && a->on_screen == b->on_screen && !strcmp(a->title, b->title) &&
           !strcmp(a->text, b->text) && !strcmp(a->price, b->price) && !strcmp(a->picture, b->picture);
}

static void free_utterance(void *object)
{
    struct cp_utterance *utterance = object;
    free(utterance->pcm);
    free(utterance->marks);
    free(utterance->prosody);
    free(utterance->text);
    free(utterance);
}

struct cp_utterance *cp_utterance_create(int32_t n_samples, size_t max_marks, const char *text)
{
    struct cp_utterance *utterance = calloc(1, sizeof *utterance);
    if (!utterance)
        return NULL;
    cp_ref_init(&utterance->ref, free_utterance);
    utterance->n_samples = n_samples;
    utterance->n_prosody = ((size_t)n_samples + CP_PROSODY_STEP_SAMPLES - 1) / CP_PROSODY_STEP_SAMPLES;
    utterance->pcm = calloc((size_t)n_samples + 1, sizeof *utterance->pcm);
    utterance->marks = calloc(max_marks + 1, sizeof *utterance->marks);
    utterance->prosody = calloc(utterance->n_prosody + 1, sizeof *utterance->prosody);
    utterance->text = strdup(text);
    if (utterance->pcm && utterance->marks && utterance->prosody && utterance->text)
        return utterance;
    free_utterance(utterance);
    return NULL;
}

/* Pictures and packets lie in one pooled block: the struct, then its bytes at the next 64-byte line. */
#define HEAD(type) ((sizeof(type) + 63) & ~(size_t)63)

static void return_picture(void *object)
{
    cp_pool_put(((struct cp_picture *)object)->pool, object);
}

static size_t chroma_bytes(int width, int height)
{
    return ((size_t)width / 2 * ((size_t)height / 2) + 63) & ~(size_t)63;
}

struct cp_pool *cp_picture_pool_create(int width, int height, int count)
{
    size_t bytes =
        HEAD(struct cp_picture) + (size_t)width * (size_t)height + 64 + 2 * chroma_bytes(width, height);
    return cp_pool_create(bytes, (size_t)count);
}

struct cp_picture *cp_picture_get(struct cp_pool *pool, int width, int height)
{
    struct cp_picture *picture = cp_pool_get(pool);
    if (!picture)
        return NULL;
    uint8_t *bytes = (uint8_t *)picture + HEAD(struct cp_picture);
    memset(picture, 0, sizeof *picture);
    cp_ref_init(&picture->ref, return_picture);
    picture->pool = pool;
    picture->width = width;
    picture->height = height;
    picture->stride[0] = width;
    picture->stride[1] = picture->stride[2] = width / 2;
    picture->plane[0] = bytes;
    picture->plane[1] = bytes + (((size_t)width * (size_t)height + 63) & ~(size_t)63);
    picture->plane[2] = picture->plane[1] + chroma_bytes(width, height);
    return picture;
}

static void return_packet(void *object)
{
    cp_pool_put(((struct cp_packet *)object)->pool, object);
}

struct cp_pool *cp_packet_pool_create(size_t capacity_bytes, size_t count)
{
    struct cp_pool *pool = cp_pool_create(HEAD(struct cp_packet) + capacity_bytes, count);
    struct cp_packet *out = NULL;
    /* Each object remembers its capacity, since cp_packet_get has no other place to learn it from. */
    for (size_t i = 0; pool && i < count; i++) {
        struct cp_packet *packet = cp_pool_get(pool);
        packet->capacity_bytes = capacity_bytes;
        packet->data = (uint8_t *)out;
        out = packet;
    }
    while (out) {
        struct cp_packet *below = (struct cp_packet *)out->data;
        cp_pool_put(pool, out);
        out = below;
    }
    return pool;
}

struct cp_packet *cp_packet_get(struct cp_pool *pool)
{
    struct cp_packet *packet = cp_pool_get(pool);
    if (!packet)
        return NULL;
    size_t capacity = packet->capacity_bytes;
    memset(packet, 0, sizeof *packet);
    cp_ref_init(&packet->ref, return_packet);
    packet->pool = pool;
    packet->capacity_bytes = capacity;
    packet->data = (uint8_t *)packet + HEAD(struct cp_packet);
    return packet;
}
