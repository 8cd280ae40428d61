/* Motions from VRM Animation (VRMC_vrm_animation 1.0) and from glTF animations of known skeletons. */
#include "avatar/load.h"
#include "avatar/motion.h"
#include "avatar/transform.h"

#include <stdlib.h>
#include <string.h>

#define MAX_KEYS 200000

enum ease { EASE_LINEAR, EASE_STEP, EASE_CUBIC };

struct track {
    size_t n;
    int width;
    enum ease ease;
    float *at_s, *value;
};

static void free_motion(void *object)
{
    struct cp_motion *motion = object;
    free(motion->turn);
    free(motion->shift);
    free(motion->face);
    free(motion);
}

/* One channel's keys. A cubic spline is taken at its keys: what lies between is blended straight. */
static int read_track(struct load *load, const json_t *animation, const json_t *channel, int width,
                      struct track *ret)
{
    const json_t *sampler = json_array_get(json_object_get(animation, "samplers"),
                                           (size_t)gltf_int(channel, "sampler", GLTF_MAX_LIST));
    int64_t input = gltf_int(sampler, "input", -1), output = gltf_int(sampler, "output", -1),
            n = gltf_accessor_count(&load->doc, input);
    const char *ease = gltf_text(sampler, "interpolation");
    if (n < 1 || n > MAX_KEYS)
        return gltf_fail(&load->doc, n > MAX_KEYS ? CP_ERR_LIMIT : CP_ERR_FORMAT,
                         "a track of the animation has %lld keys; 1 to %d are read", (long long)n, MAX_KEYS);
    *ret = (struct track){.n = (size_t)n, .width = width};
    ret->ease = !strcmp(ease, "STEP") ? EASE_STEP : !strcmp(ease, "CUBICSPLINE") ? EASE_CUBIC : EASE_LINEAR;
    size_t values = ret->n * (ret->ease == EASE_CUBIC ? 3 : 1);
    int err = gltf_read_floats(&load->doc, input, ret->n, 1, 0, &ret->at_s);
    if (!err)
        err = gltf_read_floats(&load->doc, output, values, width, 0, &ret->value);
    for (size_t i = 1; !err && i < ret->n; i++)
        if (ret->at_s[i] < ret->at_s[i - 1])
            err = gltf_fail(&load->doc, CP_ERR_FORMAT, "a track of the animation goes back in time");
    return err;
}

/* The track's value at a time; `*key` walks on with it. Rotations are blended the short way round. */
static void sample_track(const struct track *track, float t, size_t *key, float *ret)
{
    while (*key + 1 < track->n && track->at_s[*key + 1] <= t)
        ++*key;
    size_t step = track->ease == EASE_CUBIC ? 3 : 1, first = track->ease == EASE_CUBIC ? 1 : 0;
    const float *a = track->value + (*key * step + first) * (size_t)track->width, *b = a;
    float part = 0;
    if (*key + 1 < track->n && t > track->at_s[*key] && track->ease != EASE_STEP) {
        b = a + step * (size_t)track->width;
        part = (t - track->at_s[*key]) / fmaxf(track->at_s[*key + 1] - track->at_s[*key], 1e-6f);
    }
    float sign = 1, dot = 0;
    for (int k = 0; k < track->width; k++)
        dot += a[k] * b[k];
    if (track->width == 4 && dot < 0)
        sign = -1;
    for (int k = 0; k < track->width; k++)
        ret[k] = mixf(a[k], sign * b[k], part);
    if (track->width == 4)
        quat_normalize(ret);
}

static void rotation_of(const float world[12], float ret[4])
{
    float t[3], s[3];
    mat_to_trs(world, t, ret, s);
}

/* What the reading of one animation needs to know of the skeleton. */
struct skeleton {
    int node[CP_BONE_COUNT];                               /* -1 */
    int bone[GLTF_MAX_NODES];                              /* the node's bone, or CP_BONE_UNSET */
    float rest[CP_BONE_COUNT][4], above[CP_BONE_COUNT][4]; /* rotations at rest of bone and its parent node */
};

static void find_skeleton(const struct load *load, struct skeleton *s)
{
    const json_t *table = json_object_get(
        json_object_get(gltf_extension(load->doc.root, "VRMC_vrm_animation"), "humanoid"), "humanBones");
    for (int b = 0; b < CP_BONE_COUNT; b++)
        s->node[b] = -1;
    for (int i = 0; i < load->n_nodes; i++) {
        enum cp_bone bone = table ? CP_BONE_UNSET : bone_of_name(load->nodes[i].name);
        if (bone != CP_BONE_UNSET && s->node[bone] < 0)
            s->node[bone] = i;
    }
    for (int b = CP_BONE_UNSET + 1; table && b < CP_BONE_COUNT; b++) {
        int64_t node = gltf_int(json_object_get(table, cp_bone_name((enum cp_bone)b)), "node", -1);
        if (node >= 0 && node < load->n_nodes)
            s->node[b] = (int)node;
    }
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        memcpy(s->above[b], QUAT_IDENTITY, sizeof s->above[b]);
        if (s->node[b] < 0)
            continue;
        const struct load_node *node = &load->nodes[s->node[b]];
        s->bone[s->node[b]] = b;
        rotation_of(node->world, s->rest[b]);
        if (node->parent >= 0)
            rotation_of(load->nodes[node->parent].world, s->above[b]);
    }
}

/* Limbs point from their bone to the next one. */
static void find_directions(const struct load *load, const struct skeleton *s, struct cp_motion *motion)
{
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        enum cp_bone end = motion_limb_end((enum cp_bone)b);
        if (end == CP_BONE_UNSET || s->node[b] < 0 || s->node[end] < 0)
            continue;
        const float *from = load->nodes[s->node[b]].world, *to = load->nodes[s->node[end]].world;
        for (int k = 0; k < 3; k++)
            motion->along[b][k] = to[4 * k + 3] - from[4 * k + 3];
        if (!vec_normalize(motion->along[b]))
            memset(motion->along[b], 0, sizeof motion->along[b]);
    }
    if (s->node[CP_BONE_HIPS] >= 0)
        motion->hips_height_m = fabsf(load->nodes[s->node[CP_BONE_HIPS]].world[7]);
}

/* The bone's own turn about the model's axes: above * local * inverse of rest. */
static void fill_turns(const struct skeleton *s, struct cp_motion *motion, enum cp_bone bone,
                       const struct track *track)
{
    const float *rest = s->rest[bone], back[4] = {-rest[0], -rest[1], -rest[2], rest[3]};
    size_t key = 0;
    motion->moves[bone] = true;
    for (int f = 0; f < motion->n_frames; f++) {
        float local[4], turned[4];
        sample_track(track, (float)f / MOTION_HZ, &key, local);
        quat_multiply(s->above[bone], local, turned);
        quat_multiply(turned, back, motion->turn[f][bone]);
    }
}

static void fill_shifts(const struct load *load, const struct skeleton *s, struct cp_motion *motion,
                        const struct track *track)
{
    const struct load_node *hips = &load->nodes[s->node[CP_BONE_HIPS]];
    const float *above = hips->parent >= 0 ? load->nodes[hips->parent].world : MAT_IDENTITY;
    size_t key = 0;
    for (int f = 0; f < motion->n_frames; f++) {
        float local[3], at[3];
        sample_track(track, (float)f / MOTION_HZ, &key, local);
        mat_point(above, local, at);
        for (int k = 0; k < 3; k++)
            motion->shift[f][k] = at[k] - hips->world[4 * k + 3];
    }
}

/* VRM's expressions ride on the x of a node that stands for them. */
static int face_of_node(const struct load *load, int64_t node)
{
    static const char *const NAME[MOTION_FACES] = {"happy", "angry", "sad", "relaxed", "surprised"};
    const json_t *preset = json_object_get(
        json_object_get(gltf_extension(load->doc.root, "VRMC_vrm_animation"), "expressions"), "preset");
    for (int i = 0; i < MOTION_FACES; i++)
        if (gltf_int(json_object_get(preset, NAME[i]), "node", -1) == node)
            return i;
    return -1;
}

static int read_channel(struct load *load, const struct skeleton *s, const json_t *animation,
                        const json_t *channel, struct cp_motion *motion)
{
    const json_t *target = json_object_get(channel, "target");
    int64_t node = gltf_int(target, "node", -1);
    bool turns = !strcmp(gltf_text(target, "path"), "rotation"),
         moves = !strcmp(gltf_text(target, "path"), "translation");
    if (node < 0 || node >= load->n_nodes || (!turns && !moves))
        return 0;
    int bone = s->bone[node], face = moves ? face_of_node(load, node) : -1;
    if (face < 0 && (bone == CP_BONE_UNSET || (moves && bone != CP_BONE_HIPS)))
        return 0;
    struct track track = {0};
    int err = read_track(load, animation, channel, turns ? 4 : 3, &track);
    if (!err && turns)
        fill_turns(s, motion, (enum cp_bone)bone, &track);
    else if (!err && face < 0)
        fill_shifts(load, s, motion, &track);
    size_t key = 0;
    for (int f = 0; !err && face >= 0 && f < motion->n_frames; f++) {
        float value[3] = {0};
        sample_track(&track, (float)f / MOTION_HZ, &key, value);
        motion->face[f][face] = clampf(value[0], 0, 1);
    }
    free(track.at_s);
    free(track.value);
    return err;
}

/* The bone that carries another in VRM's skeleton; the enum lists parents before children. */
static int bone_above(int bone)
{
    switch (bone) {
    case CP_BONE_HIPS:
        return CP_BONE_UNSET;
    case CP_BONE_LEFT_EYE:
    case CP_BONE_RIGHT_EYE:
    case CP_BONE_JAW:
        return CP_BONE_HEAD;
    case CP_BONE_LEFT_SHOULDER:
    case CP_BONE_RIGHT_SHOULDER:
        return CP_BONE_UPPER_CHEST;
    case CP_BONE_LEFT_UPPER_LEG:
    case CP_BONE_RIGHT_UPPER_LEG:
        return CP_BONE_HIPS;
    default:
        if (bone < CP_BONE_LEFT_THUMB_METACARPAL)
            return bone - 1;
        int from_thumb = bone - CP_BONE_LEFT_THUMB_METACARPAL;
        return from_thumb % 3 ? bone - 1 : from_thumb < 15 ? CP_BONE_LEFT_HAND : CP_BONE_RIGHT_HAND;
    }
}

/* The bones' own turns become turns of whole limbs: each with what its parents do. Bones that the file lacks
 * go with the one above. */
static void join_turns(struct cp_motion *motion)
{
    for (int f = 0; f < motion->n_frames; f++)
        for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
            float own[4];
            memcpy(own, motion->turn[f][b], sizeof own);
            quat_multiply(motion->turn[f][bone_above(b)], own, motion->turn[f][b]);
        }
}

static int make_frames(struct load *load, const json_t *animation, struct cp_motion *motion)
{
    const json_t *samplers = json_object_get(animation, "samplers");
    float end_s = 0;
    for (size_t i = 0; i < json_array_size(samplers) && i < 4096; i++) {
        int64_t input = gltf_int(json_array_get(samplers, i), "input", -1),
                n = gltf_accessor_count(&load->doc, input);
        float *at_s = NULL;
        if (n < 1 || n > MAX_KEYS)
            continue;
        int err = gltf_read_floats(&load->doc, input, (size_t)n, 1, 0, &at_s);
        if (err)
            return err;
        end_s = fmaxf(end_s, at_s[n - 1]);
        free(at_s);
    }
    if (end_s > MOTION_MAX_S)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "the animation lasts %.0f s; at most %d are played",
                         (double)end_s, MOTION_MAX_S);
    motion->n_frames = (int)ceilf(end_s * MOTION_HZ) + 1;
    size_t n = (size_t)motion->n_frames;
    motion->turn = calloc(n, sizeof *motion->turn);
    motion->shift = calloc(n, sizeof *motion->shift);
    motion->face = calloc(n, sizeof *motion->face);
    if (!motion->turn || !motion->shift || !motion->face)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    for (size_t f = 0; f < n; f++)
        for (int b = 0; b < CP_BONE_COUNT; b++)
            motion->turn[f][b][3] = 1;
    return 0;
}

static int read_motion(struct load *load, struct skeleton *s, struct cp_motion *motion)
{
    const json_t *animation = gltf_item(&load->doc, "animations", 0),
                 *channels = json_object_get(animation, "channels");
    if (!json_array_size(channels))
        return gltf_fail(&load->doc, CP_ERR_FORMAT, "the file holds no animation");
    int err = load_place_nodes(load);
    if (err)
        return err;
    find_skeleton(load, s);
    find_directions(load, s, motion);
    err = make_frames(load, animation, motion);
    for (size_t c = 0; !err && c < json_array_size(channels); c++) {
        err = gltf_work(&load->doc, (size_t)motion->n_frames);
        if (!err)
            err = read_channel(load, s, animation, json_array_get(channels, c), motion);
    }
    bool moves = false;
    for (int b = 0; b < CP_BONE_COUNT; b++)
        moves |= motion->moves[b];
    if (!err && !moves)
        err = gltf_fail(&load->doc, CP_ERR_FORMAT,
                        "the animation turns no humanoid bone that is known by name");
    if (!err)
        join_turns(motion);
    return err;
}

int cp_motion_load(const void *bytes, size_t length, struct cp_motion **ret_motion, struct cp_error *error)
{
    struct load *load = calloc(1, sizeof *load);
    struct cp_motion *motion = calloc(1, sizeof *motion);
    struct skeleton *skeleton = calloc(1, sizeof *skeleton);
    int err = load && motion && skeleton ? 0 : cp_fail(error, CP_ERR_NOMEM, "avatar", "out of memory");
    if (motion)
        cp_ref_init(&motion->ref, free_motion);
    if (!err)
        err = gltf_open(&load->doc, bytes, length, NULL, error);
    if (!err)
        err = read_motion(load, skeleton, motion);
    if (load) {
        gltf_close(&load->doc);
        free(load->nodes);
    }
    free(load);
    free(skeleton);
    if (err)
        cp_ref_drop(motion);
    else
        *ret_motion = motion;
    return err;
}

int cp_motion_load_file(const char *path, struct cp_motion **ret_motion, struct cp_error *error)
{
    uint8_t *bytes;
    size_t length;
    int err = load_file(path, &bytes, &length, error);
    if (err)
        return err;
    err = cp_motion_load(bytes, length, ret_motion, error);
    free(bytes);
    return err;
}
