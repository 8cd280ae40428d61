/* The screen in a set: a flat picture in a frame, seen in perspective; a designed picture while it is idle.
 */
#include "render/footage.h"
#include "render/room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct place {
    float x, y, z, width_m; /* of its middle; it is 16:9 */
    float turn_deg;         /* towards the stage */
};
enum { MOST = 2 }; /* one for cameras from the front, one that those on the right look past it to */
enum shape { SHAPE_WIDE, SHAPE_SQUARE, SHAPE_UPRIGHT };
struct stand { /* where one stands for cameras from the front and from the sides, and between for others */
    struct place front, left, right;
};
struct screen {
    struct stand stand[MOST];
    int n;
    enum shape shape;
    float frame_m;            /* width of its frame */
    float frame_color[3];     /* 10-bit display values */
    struct patch face[MOST];  /* what they show, for the view of the last whole drawing */
    struct place place[MOST]; /* likewise */
    bool visible[MOST];
    uint32_t *idle;       /* CP_SCREEN_WIDTH x CP_SCREEN_HEIGHT */
    uint32_t *mixed;      /* likewise: two pictures, while one fades into the other */
    const uint32_t *last; /* what it showed */
    int last_width, last_height;
    int64_t last_due;
};

/* By set: in a wide picture beside the presenter, in a square one nearer, in an upright one above them. */
static const struct {
    const char *set;
    struct place wide, square, upright;
    float frame_m, frame_color[3];
} PLACE[] = {
    {"studio",
     {0.75f, 1.64f, -2.2f, 0.86f, -9},
     {0.48f, 1.70f, -2.2f, 0.50f, -6},
     {0.0f, 2.14f, -2.6f, 0.70f, 0},
     0.016f,
     {52, 48, 50}},
    {"newsroom",
     {0.78f, 1.64f, -2.4f, 0.92f, -8},
     {0.48f, 1.70f, -2.2f, 0.50f, -6},
     {0.0f, 2.14f, -2.6f, 0.70f, 0},
     0.012f,
     {120, 190, 280}},
    {"shop",
     {0.76f, 1.64f, -2.3f, 0.86f, -8},
     {0.48f, 1.70f, -2.2f, 0.50f, -6},
     {0.0f, 2.14f, -2.6f, 0.70f, 0},
     0.026f,
     {560, 420, 275}},
    {"classroom",
     {0.78f, 1.66f, -2.4f, 0.90f, -8},
     {0.48f, 1.70f, -2.2f, 0.50f, -6},
     {0.0f, 2.14f, -2.6f, 0.70f, 0},
     0.018f,
     {880, 872, 850}},
};

/* A screen glides as the camera turns, as on a rail, so that the presenter never hides it. In wide and square
 * pictures a second one waits out of sight for cameras from the right, and the first makes room; in upright
 * ones the first stays above the presenter. */
static const struct place LEFT[] = {
    {1.78f, 1.64f, -2.2f, 0.86f, -24}, {1.40f, 1.68f, -2.2f, 0.62f, -24}, {1.05f, 2.14f, -2.6f, 0.68f, -21}};
static const struct place RIGHT[] = {
    {-1.80f, 1.64f, -2.2f, 0.86f, 24}, {-1.40f, 1.68f, -2.2f, 0.62f, 24}, {-1.05f, 2.14f, -2.6f, 0.68f, 21}};
/* With two on stage it hangs between them. For each metre that a camera looks beside the middle, at one of
 * them alone, it moves to the free side of that one; seen from a side, along with them, farther where the
 * other would hide it. */
static const struct {
    struct place middle;
    float free_side, inward, outward;
} TWO[] = {{{0, 1.64f, -2.2f, 0.70f, 0}, -1.3f, 1.7f, 0.5f},
           {{0, 1.68f, -2.2f, 0.54f, 0}, -0.5f, 1.2f, 1.0f},
           {{0, 2.14f, -2.6f, 0.70f, 0}, 1.0f, 1.0f, 1.0f}};
#define AWAY_M                                                                                               \
    0.7f /* how far the first makes room, and the second stands back for cameras from the front              \
          */
#define TURN_RAD 0.36f /* of a camera from the side */
#define EYES_M                                                                                               \
    1.60f /* the presenter's, for whom the places are meant; for others a screen hangs as much higher */

static uint32_t pack(const float c[3])
{
    uint32_t out = 0;
    for (int k = 0; k < 3; k++)
        out |= (uint32_t)lrintf(fminf(fmaxf(c[k], 0), 1) * 1023) << (10 * k);
    return out;
}

/* Soft rings and a slow wave over a gradient in the set's colours: something to rest on, nothing to read. */
static void paint_idle(const char *set, uint32_t *out)
{
    static const struct {
        const char *set;
        float low[3], high[3], line[3];
    } TONE[] = {
        {"studio", {0.10f, 0.09f, 0.14f}, {0.46f, 0.24f, 0.20f}, {0.98f, 0.72f, 0.46f}},
        {"newsroom", {0.02f, 0.08f, 0.22f}, {0.05f, 0.36f, 0.62f}, {0.62f, 0.86f, 1.0f}},
        {"shop", {0.90f, 0.80f, 0.68f}, {0.74f, 0.50f, 0.38f}, {1.0f, 0.96f, 0.90f}},
        {"classroom", {0.16f, 0.42f, 0.48f}, {0.86f, 0.76f, 0.50f}, {0.98f, 0.97f, 0.90f}},
    };
    size_t tone = 0;
    for (size_t i = 0; i < sizeof TONE / sizeof TONE[0]; i++)
        if (!strcmp(TONE[i].set, set))
            tone = i;
    for (int y = 0; y < CP_SCREEN_HEIGHT; y++)
        for (int x = 0; x < CP_SCREEN_WIDTH; x++) {
            float u = ((float)x + 0.5f) / CP_SCREEN_HEIGHT, v = ((float)y + 0.5f) / CP_SCREEN_HEIGHT, c[3];
            float slope = fminf(fmaxf(0.20f + 0.42f * u - 0.45f * (v - 0.5f), 0), 1);
            float dx = u - 1.42f, dy = v - 0.30f, r = sqrtf(dx * dx + dy * dy), rings = 0, waves = 0;
            for (int i = 0; i < 4; i++) {
                float d = (r - 0.20f - 0.17f * (float)i) / 0.006f;
                rings += (0.60f - 0.12f * (float)i) * expf(-d * d);
                float crest = 0.66f + 0.07f * (float)i + 0.06f * sinf(3.2f * u + 0.9f * (float)i);
                waves += v > crest ? 0.085f : 0;
            }
            float core = 0.55f * expf(-r * r / 0.020f) + 0.28f * expf(-r * r / 0.25f);
            for (int k = 0; k < 3; k++) {
                c[k] = TONE[tone].low[k] + (TONE[tone].high[k] - TONE[tone].low[k]) * slope;
                c[k] += (TONE[tone].line[k] - c[k]) * fminf(core + 0.55f * rings + waves, 0.92f);
            }
            out[y * CP_SCREEN_WIDTH + x] = pack(c);
        }
}

int cp_screen_create(const struct cp_set *set, int width, int height, struct screen **ret_screen)
{
    size_t row = 0;
    for (size_t i = 0; i < sizeof PLACE / sizeof PLACE[0]; i++)
        if (!strcmp(PLACE[i].set, set->name))
            row = i;
    struct screen *screen = calloc(1, sizeof *screen);
    if (!screen)
        return CP_ERR_NOMEM;
    const size_t bytes = (CP_SCREEN_WIDTH * CP_SCREEN_HEIGHT + 64) * sizeof(uint32_t);
    screen->idle = cp_render_alloc(bytes);
    screen->mixed = cp_render_alloc(bytes);
    if (!screen->idle || !screen->mixed) {
        cp_screen_destroy(screen);
        return CP_ERR_NOMEM;
    }
    float aspect = (float)width / (float)height;
    enum shape shape = aspect < 0.9f ? SHAPE_UPRIGHT : aspect < 1.4f ? SHAPE_SQUARE : SHAPE_WIDE;
    const struct place *const front[] = {&PLACE[row].wide, &PLACE[row].square, &PLACE[row].upright};
    screen->stand[0] = (struct stand){*front[shape], LEFT[shape], RIGHT[shape]};
    screen->shape = shape;
    screen->n = 1;
    if (shape != SHAPE_UPRIGHT) {
        screen->stand[0].right = *front[shape];
        screen->stand[0].right.x += AWAY_M;
        screen->stand[1] = (struct stand){RIGHT[shape], RIGHT[shape], RIGHT[shape]};
        screen->stand[1].front.x -= AWAY_M;
        screen->stand[1].left.x -= AWAY_M;
        screen->n = 2;
    }
    screen->frame_m = PLACE[row].frame_m;
    memcpy(screen->frame_color, PLACE[row].frame_color, sizeof screen->frame_color);
    paint_idle(set->name, screen->idle);
    *ret_screen = screen;
    return 0;
}

void cp_screen_destroy(struct screen *screen)
{
    if (!screen)
        return;
    cp_render_free(screen->idle);
    cp_render_free(screen->mixed);
    free(screen);
}

static float dot(const float *a, const float *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* A place on the plane of the screen, metres to the right and up from its middle. */
static void place_point(const struct place *place, float right, float up, float *out)
{
    float turn = place->turn_deg * (float)M_PI / 180;
    out[0] = place->x + right * cosf(turn);
    out[1] = place->y + up;
    out[2] = place->z - right * sinf(turn);
}

/* Where a rectangle of the screen's plane, `grow` metres larger than its face all round, is in the picture;
 * `deep` metres inside of its edge it is hidden (0: nowhere). False when it is behind the camera or out of
 * the picture. */
static bool aim(const struct cp_render *render, const struct place *place, float grow, float deep, float soft,
                struct patch *p)
{
    const struct camera *c = &render->camera;
    float w = place->width_m / 2 + grow, h = place->width_m * 9 / 32 + grow, corner[4][2];
    float x0 = 1e9f, x1 = -1e9f, y0 = 1e9f, y1 = -1e9f, nearest = 1e9f;
    for (int i = 0; i < 4; i++) { /* clockwise from the top left */
        float at[3], v[3];
        place_point(place, i == 1 || i == 2 ? w : -w, i < 2 ? h : -h, at);
        for (int k = 0; k < 3; k++)
            v[k] = at[k] - c->eye[k];
        float depth = dot(v, c->forward);
        if (depth < 0.1f)
            return false;
        nearest = fminf(nearest, depth);
        corner[i][0] = 0.5f * (float)render->width + c->focal_px * dot(v, c->right) / depth;
        corner[i][1] = 0.5f * (float)render->height - c->focal_px * dot(v, c->up) / depth;
        x0 = fminf(x0, corner[i][0]);
        x1 = fmaxf(x1, corner[i][0]);
        y0 = fminf(y0, corner[i][1]);
        y1 = fmaxf(y1, corner[i][1]);
    }
    for (int i = 0; i < 4; i++) {
        const float *a = corner[i], *b = corner[(i + 1) % 4];
        float dx = b[0] - a[0], dy = b[1] - a[1], length = fmaxf(sqrtf(dx * dx + dy * dy), 1e-3f);
        p->edge[i][0] = -dy / length;
        p->edge[i][1] = dx / length;
        p->edge[i][2] = (dy * a[0] - dx * a[1]) / length;
    }
    float margin = 1 + soft / 2;
    p->x0 = (int)fmaxf(floorf(x0 - margin), 0) & ~15;
    p->y0 = (int)fmaxf(floorf(y0 - margin), 0) & ~1;
    p->x1 = (int)fminf(ceilf(x1 + margin), (float)render->width);
    p->y1 = (int)fminf(ceilf(y1 + margin), (float)render->height);
    p->soft = soft;
    p->deep = deep > 0 ? deep * c->focal_px / nearest + 4 : 1e9f;
    return p->x0 < p->x1 && p->y0 < p->y1;
}

/* The way back from a pixel to a texel: the inverse of the projection of the screen's plane. */
static void invert(const struct cp_render *render, const struct place *place, int width, int height,
                   struct patch *p)
{
    const struct camera *c = &render->camera;
    float w = place->width_m, h = place->width_m * 9 / 16, at[3][3], m[3][3];
    place_point(place, -w / 2, h / 2, at[2]);
    place_point(place, w / 2, h / 2, at[0]);
    place_point(place, -w / 2, -h / 2, at[1]);
    for (int j = 0; j < 3; j++) { /* columns: a texel to the right, one down, the top left corner */
        float v[3];
        for (int k = 0; k < 3; k++)
            v[k] = j < 2 ? (at[j][k] - at[2][k]) / (float)(j ? height : width) : at[2][k] - c->eye[k];
        float depth = dot(v, c->forward);
        m[0][j] = c->focal_px * dot(v, c->right) + 0.5f * (float)render->width * depth;
        m[1][j] = -c->focal_px * dot(v, c->up) + 0.5f * (float)render->height * depth;
        m[2][j] = depth;
    }
    float *const row[3] = {p->u, p->v, p->w};
    for (int i = 0; i < 3; i++) /* the adjugate: scale does not matter to a quotient ... */
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, d = (i + 1) % 3, e = (i + 2) % 3;
            row[i][j] = m[a][d] * m[b][e] - m[a][e] * m[b][d];
        }
    /* ... but the reciprocal of a very small number does. */
    float scale = 1 / fmaxf(fabsf(p->w[0]) * (float)render->width + fabsf(p->w[1]) * (float)render->height +
                                fabsf(p->w[2]),
                            1e-30f);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            row[i][j] *= scale;
}

/* Where a screen stands for the frame's camera. */
static struct place place_of(const struct cp_render *render, const struct screen *screen, int i)
{
    const struct stand *stand = &screen->stand[i];
    const float *forward = render->camera.forward;
    float turn = atan2f(forward[0], -forward[2]), t = fminf(fabsf(turn) / TURN_RAD, 1);
    struct place a = stand->front, b = turn > 0 ? stand->left : stand->right;
    t = t * t * (3 - 2 * t);
    if (render->mesh->n_characters > 1) {
        float beside = fminf(fmaxf(render->view.target[0], -0.5f), 0.5f);
        bool inward = (i == 0) == (beside < 0);
        if (i == 0) {
            a = TWO[screen->shape].middle;
            a.x += TWO[screen->shape].free_side * beside;
        }
        b.x += (inward ? TWO[screen->shape].inward : TWO[screen->shape].outward) * beside;
    }
    float up = fminf(fmaxf(render->models[0]->eye_height_m - EYES_M, -0.5f), 0.4f);
    return (struct place){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t + up, a.z + (b.z - a.z) * t,
                          a.width_m + (b.width_m - a.width_m) * t,
                          a.turn_deg + (b.turn_deg - a.turn_deg) * t};
}

static void aim_face(struct cp_render *render, struct screen *screen, int i)
{
    struct patch *face = &screen->face[i];
    screen->place[i] = place_of(render, screen, i);
    *face = (struct patch){.alpha = 1};
    memcpy(face->color, screen->frame_color, sizeof face->color);
    screen->visible[i] = aim(render, &screen->place[i], 0, 0, 1.4f, face);
}

/* Its shadow and glow on the wall, its frame; then the face is ready to be drawn. */
static void draw_body(struct cp_render *render, struct screen *screen, int i)
{
    uint32_t *to = render->scenery->rgb;
    struct patch p = {.alpha = 0.42f};
    float unit = (float)(render->height < render->width ? render->height : render->width) / 720;
    aim_face(render, screen, i);
    struct place behind = screen->place[i];
    behind.y -= 0.03f;
    behind.z -= 0.04f;
    if (aim(render, &behind, 0.05f, 0.13f, 70 * unit, &p))
        render->kernels->lay_patch(&p, to, render->width);
    p = (struct patch){.alpha = 1};
    memcpy(p.color, screen->frame_color, sizeof p.color);
    if (aim(render, &screen->place[i], screen->frame_m, screen->frame_m * 1.2f, 1.6f, &p))
        render->kernels->lay_patch(&p, to, render->width);
}

/* The rectangle grows to hold a patch: whole vectors of 16 columns, pairs of rows. */
static void include(const struct patch *p, int width, int rect[4])
{
    int right = p->x0 + ((p->x1 - p->x0 + 15) & ~15), bottom = p->y0 + ((p->y1 - p->y0 + 1) & ~1);
    right = right > width ? width : right;
    int old_right = rect[2] ? rect[0] + rect[2] : 0, old_bottom = rect[2] ? rect[1] + rect[3] : 0;
    rect[0] = rect[2] && rect[0] < p->x0 ? rect[0] : p->x0;
    rect[1] = rect[2] && rect[1] < p->y0 ? rect[1] : p->y0;
    rect[2] = (right > old_right ? right : old_right) - rect[0];
    rect[3] = (bottom > old_bottom ? bottom : old_bottom) - rect[1];
}

struct shown { /* a picture, as it is now */
    const uint32_t *rgb;
    int64_t due_samples; /* tells a video's frames apart */
    int width, height;
};

static struct shown look_at(const struct screen *screen, struct cp_footage *footage, int64_t at_samples)
{
    struct shown shown = {screen->idle, 0, CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT};
    const struct footage_frame *frame = footage ? cp_footage_frame(footage, at_samples) : NULL;
    if (frame) {
        shown.rgb = frame->rgb;
        shown.due_samples = frame->due_samples;
        cp_footage_size(footage, &shown.width, &shown.height);
    }
    return shown;
}

/* Packed 10-bit colours in 64 steps, red and blue at once. */
static void mix(const uint32_t *from, const uint32_t *to, float share, uint32_t *out)
{
    const uint64_t outer = 0x3ff003ff, inner = 0x3ff, b = (uint64_t)lrintf(share * 64), a = 64 - b;
    for (int i = 0; i < CP_SCREEN_WIDTH * CP_SCREEN_HEIGHT; i++) {
        uint64_t two = ((from[i] & outer) * a + (to[i] & outer) * b) >> 6 & outer;
        uint64_t one = ((from[i] >> 10 & inner) * a + (to[i] >> 10 & inner) * b) >> 6;
        out[i] = (uint32_t)(two | one << 10);
    }
}

/* What the view shows over what the stage has there. Pictures of other sizes than the screen's change at
 * once. */
static struct shown choose(struct screen *screen, struct cp_footage *own, const struct cp_view *view)
{
    float faded = view->screen ? fminf(fmaxf(view->screen_faded, 0), 1) : 1;
    if (faded >= 1)
        return look_at(screen, own, view->at_samples);
    struct shown over = look_at(screen, view->screen, view->at_samples);
    if (faded <= 0)
        return over;
    struct shown under = look_at(screen, own, view->at_samples);
    const bool alike = over.width == CP_SCREEN_WIDTH && over.height == CP_SCREEN_HEIGHT &&
                       under.width == CP_SCREEN_WIDTH && under.height == CP_SCREEN_HEIGHT;
    if (!alike)
        return faded < 0.5f ? over : under;
    mix(over.rgb, under.rgb, faded, screen->mixed);
    screen->last = NULL; /* it is another picture each time */
    return (struct shown){screen->mixed, 0, CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT};
}

static void remember(struct screen *screen, const struct shown *shown)
{
    screen->last = shown->rgb;
    screen->last_due = shown->due_samples;
    screen->last_width = shown->width;
    screen->last_height = shown->height;
}

void cp_screen_aim(struct cp_render *render, struct screen *screen, struct cp_footage *own,
                   const struct cp_view *view)
{
    struct shown shown = choose(screen, own, view);
    remember(screen, &shown);
    for (int i = 0; i < screen->n; i++)
        aim_face(render, screen, i);
}

bool cp_screen_draw(struct cp_render *render, struct screen *screen, struct cp_footage *own,
                    const struct cp_view *view, bool whole, int ret_rect[4])
{
    struct shown shown = choose(screen, own, view);
    int rect[4] = {0};
    if (!whole && shown.rgb == screen->last && shown.due_samples == screen->last_due)
        return false;
    remember(screen, &shown);
    for (int i = 0; i < screen->n; i++) {
        struct patch *face = &screen->face[i];
        if (whole)
            draw_body(render, screen, i);
        if (!screen->visible[i])
            continue;
        invert(render, &screen->place[i], shown.width, shown.height, face);
        face->texture = shown.rgb;
        face->texture_width = shown.width;
        face->texture_height = shown.height;
        render->kernels->lay_patch(face, render->scenery->rgb, render->width);
        include(face, render->width, rect);
    }
    if (!rect[2])
        return false;
    memcpy(ret_rect, rect, sizeof rect);
    return true;
}

bool cp_render_screen_middle(const struct cp_render *render, float ret_px[2])
{
    const struct screen *screen = render->scenery ? render->scenery->screen : NULL;
    int largest = 0;
    for (int i = 0; screen && i < screen->n; i++) {
        const struct patch *p = &screen->face[i];
        int area = screen->visible[i] ? (p->x1 - p->x0) * (p->y1 - p->y0) : 0;
        if (area <= largest)
            continue;
        largest = area;
        ret_px[0] = (float)(p->x0 + p->x1) / 2;
        ret_px[1] = (float)(p->y0 + p->y1) / 2;
    }
    return largest > 0;
}

struct cp_footage *cp_render_create_kept(void)
{
    return cp_footage_create_still(CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT, 0);
}

bool cp_render_keep_screen(const struct cp_render *render, struct cp_footage *kept)
{
    const struct screen *screen = render->scenery ? render->scenery->screen : NULL;
    if (!screen || !screen->last || screen->last_width != kept->width || screen->last_height != kept->height)
        return false;
    memcpy(kept->frame[0].rgb, screen->last, (size_t)kept->width * (size_t)kept->height * sizeof(uint32_t));
    kept->frame[0].due_samples++; /* another picture than before */
    return true;
}
