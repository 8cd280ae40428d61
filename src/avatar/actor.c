/* The actor: puts mouth, eyes, head, body and feelings together into one pose a frame. */
#include "avatar/avatar.h"
#include "avatar/gesture.h"
#include "avatar/motion.h"
#include "avatar/spring.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <stdlib.h>

#define CARRY_S         0.12f /* lips left open by a cut close within this time */
#define ATTACK_S        0.06f /* lips that a sentence finds shut open within this time */
#define LONGEST_STEP_S  0.25f /* after a gap life goes on from where it was */
#define EYE_YAW         CP_RADIANS(28)
#define EYE_UP          CP_RADIANS(20)
#define EYE_DOWN        CP_RADIANS(26)
#define LID_FULL        CP_RADIANS(25) /* eyes down by this much: eyeLookDown at 1 */
#define NECK_SHARE      0.4f
#define MOST_ASIDE      CP_RADIANS(85)
#define CAMERA_ASIDE    CP_RADIANS(80)
#define STILL_LISTENS_S 1.5f           /* a listener's eyes stay on the partner in pauses */
#define JAW_BONE        CP_RADIANS(18) /* for characters with a jaw joint and no jawOpen */

struct cp_actor {
    struct rig rig;
    struct cp_place place;
    float to_stage[12]; /* own space -> stage */
    float eye[3];       /* between the eyes, own space, as of the last pose */
    struct feeling feeling;
    struct blinker blinker;
    struct gaze gaze;
    struct body body;
    struct gesturer gesturer;
    struct beats beats;
    struct focus focus;
    float partner_silent_s; /* since the partner spoke, while this one listens */
    int32_t heard_to;       /* marks of the utterance before this have started their gestures */
    struct springs springs;
    struct motion_player motions;
    const struct cp_utterance *utterance; /* of the last frame; compared only */
    int32_t last_offset;
    float said[CP_SHAPE_COUNT]; /* the mouth of the last frame */
    float carried[CP_SHAPE_COUNT], carried_s;
    float activity;  /* of the mouth, smoothed */
    int64_t last_at; /* -1 before the first frame */
};

/* Between the eyes, in a head that stands so. */
static void middle_of_eyes(const struct rig *rig, const float head[12], float ret[3])
{
    float middle[3];
    for (int k = 0; k < 3; k++)
        middle[k] = (rig->eye[0][k] + rig->eye[1][k]) / 2;
    mat_point(head, middle, ret);
}

int cp_actor_create(struct cp_model *model, uint64_t seed, struct cp_actor **ret_actor,
                    struct cp_error *error)
{
    struct cp_actor *actor = calloc(1, sizeof *actor);
    if (!actor)
        return cp_fail(error, CP_ERR_NOMEM, "avatar", "out of memory");
    rig_init(&actor->rig, cp_ref_take(model));
    feeling_init(&actor->feeling, seed);
    blinker_init(&actor->blinker, seed);
    gaze_init(&actor->gaze, seed);
    focus_init(&actor->focus, seed);
    body_init(&actor->body, seed);
    gesturer_init(&actor->gesturer, &actor->rig);
    beats_init(&actor->beats, seed);
    spring_init(&actor->springs, model);
    motion_init(&actor->motions);
    actor->last_at = -1;
    actor->carried_s = CARRY_S;
    actor->partner_silent_s = STILL_LISTENS_S;
    middle_of_eyes(&actor->rig, MAT_IDENTITY, actor->eye);
    cp_actor_place(actor, &(struct cp_place){0});
    *ret_actor = actor;
    return 0;
}

void cp_actor_destroy(struct cp_actor *actor)
{
    if (!actor)
        return;
    motion_drop(&actor->motions);
    cp_ref_drop(actor->rig.model);
    free(actor);
}

void cp_actor_place(struct cp_actor *actor, const struct cp_place *place)
{
    static const float y[3] = {0, 1, 0}, one[3] = {1, 1, 1};
    const float at[3] = {place->x_m, 0, place->z_m};
    float turn[4];
    actor->place = *place;
    quat_axis_angle(y, place->yaw_rad, turn);
    mat_from_trs(at, turn, one, actor->to_stage);
}

void cp_actor_eye(const struct cp_actor *actor, float ret_eye[3])
{
    mat_point(actor->to_stage, actor->eye, ret_eye);
}

/* What it sees, in its own space. */
static struct cp_sight own_sight(const struct cp_actor *actor, const struct cp_sight *sight)
{
    struct cp_sight own = *sight;
    float *const point[] = {own.camera_eye, own.partner_eye, own.card};
    for (size_t i = 0; i < sizeof point / sizeof *point; i++) {
        const float off[3] = {point[i][0] - actor->place.x_m, point[i][1], point[i][2] - actor->place.z_m};
        mat_vector_back(actor->to_stage, off, point[i]);
    }
    return own;
}

/* Skinning matrices made in its own space, put on the stage. */
static void put_on_stage(const struct cp_actor *actor, int n_joints, float (*skin)[12])
{
    if (actor->place.x_m == 0 && actor->place.z_m == 0 && actor->place.yaw_rad == 0)
        return;
    for (int j = 0; j < n_joints; j++) {
        float own[12];
        memcpy(own, skin[j], sizeof own);
        mat_multiply(actor->to_stage, own, skin[j]);
    }
}

int cp_actor_add_motion(struct cp_actor *actor, const char *name, struct cp_motion *motion,
                        struct cp_error *error)
{
    struct motion_player *motions = &actor->motions;
    if (!*name || strlen(name) >= sizeof motions->entry[0].name)
        return cp_fail(error, CP_ERR_INVALID, "avatar", "a motion's name has 1 to 31 bytes");
    int place = 0;
    while (place < motions->n && motions->entry[place].motion)
        place++;
    if (place == MOTION_MAX)
        return cp_fail(error, CP_ERR_LIMIT, "avatar", "a character takes at most %d motions", MOTION_MAX);
    cp_actor_set_motion(actor, place, name, motion);
    return 0;
}

void cp_actor_set_motion(struct cp_actor *actor, int place, const char *name, struct cp_motion *motion)
{
    struct motion_player *motions = &actor->motions;
    if (place < 0 || place >= CP_ACTOR_MOTIONS || motions->entry[place].motion == motion)
        return;
    cp_ref_drop(motions->entry[place].motion);
    motions->entry[place].motion = cp_ref_take(motion);
    snprintf(motions->entry[place].name, sizeof motions->entry[place].name, "%s", name);
    motions->n = place < motions->n ? motions->n : place + 1;
}

/* Speech of this frame, with what a cut or a new sentence left standing fading out under it. */
static void speak(struct cp_actor *actor, const struct cp_moment *moment, float dt_s, struct mouth *mouth)
{
    float gain = moment->gain > 0 ? fminf(moment->gain, 1) : 0;
    /* A picture stands for a whole frame's time: it shows the middle of it. */
    mouth_at(moment->utterance, moment->offset_samples + CP_SAMPLES_PER_FRAME / 2, mouth);
    if (moment->utterance != actor->utterance || moment->offset_samples < actor->last_offset) {
        memcpy(actor->carried, actor->said, sizeof actor->carried);
        actor->carried_s = 0;
    }
    actor->utterance = moment->utterance;
    actor->last_offset = moment->utterance ? moment->offset_samples : 0;
    actor->carried_s += dt_s;
    float left = (1 - smooth_step(0, CARRY_S, actor->carried_s)) * (1 - mouth->closure);
    gain *= smooth_step(0, ATTACK_S, actor->carried_s);
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++) {
        mouth->shape[s] = fmaxf(mouth->shape[s] * gain, actor->carried[s] * left);
        actor->said[s] = mouth->shape[s];
    }
    mouth->activity *= gain;
    actor->activity += (mouth->activity - actor->activity) * (1 - expf(-12 * dt_s));
}

static bool is_mouth(int shape)
{
    return shape >= CP_SHAPE_jawForward && shape <= CP_SHAPE_mouthUpperUpRight;
}

/* The face: feeling and gesture under speech. Feelings give way where the mouth has to speak, and never keep
 * the lips from closing. */
static void make_face(struct cp_actor *actor, const struct mouth *mouth, float *face)
{
    const float *gesture = actor->gesturer.value;
    memcpy(face, actor->feeling.shape, sizeof actor->feeling.shape);
    motion_face(&actor->motions, face);
    face[CP_SHAPE_mouthSmileLeft] += gesture[GESTURE_SMILE];
    face[CP_SHAPE_mouthSmileRight] += gesture[GESTURE_SMILE];
    face[CP_SHAPE_cheekSquintLeft] += 0.5f * gesture[GESTURE_SMILE];
    face[CP_SHAPE_cheekSquintRight] += 0.5f * gesture[GESTURE_SMILE];
    face[CP_SHAPE_mouthShrugLower] += gesture[GESTURE_POUT];
    face[CP_SHAPE_mouthFrownLeft] += 0.4f * gesture[GESTURE_POUT];
    face[CP_SHAPE_mouthFrownRight] += 0.4f * gesture[GESTURE_POUT];
    float brows = actor->body.brow + gesture[GESTURE_BROWS];
    face[CP_SHAPE_browInnerUp] += brows;
    face[CP_SHAPE_browOuterUpLeft] += 0.8f * brows;
    face[CP_SHAPE_browOuterUpRight] += 0.8f * brows;
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        if (is_mouth(s))
            face[s] *= 1 - 0.45f * actor->activity;
    face[CP_SHAPE_jawOpen] *= 1 - actor->activity;
    mouth_close(face, mouth->closure);
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        face[s] += mouth->shape[s];
}

/* Which way a point lies from between the eyes at rest: yaw, pitch, distance. */
static void direction_to(const struct rig *rig, const float point[3], float ret[3])
{
    float middle[3], to[3];
    middle_of_eyes(rig, MAT_IDENTITY, middle);
    vec_sub(point, middle, to);
    ret[0] = clampf(atan2f(to[0], to[2]), -MOST_ASIDE, MOST_ASIDE);
    ret[1] = clampf(-atan2f(to[1], hypotf(to[0], to[2])), -MOST_ASIDE, MOST_ASIDE);
    ret[2] = fmaxf(sqrtf(vec_dot(to, to)), 0.2f);
    if (!isfinite(ret[0]) || !isfinite(ret[1]) || !isfinite(ret[2]))
        ret[0] = ret[1] = 0, ret[2] = 2;
}

/* What is looked at now. Things that are not there are not looked for; a camera behind is not either. */
static enum cp_look choose_look(const struct cp_actor *actor, const struct cp_moment *moment,
                                const struct cp_sight *own)
{
    const struct gesturer *g = &actor->gesturer;
    enum cp_look look = moment->look;
    if (own->listens && actor->partner_silent_s < STILL_LISTENS_S)
        look = CP_LOOK_PARTNER;
    else if (g->playing == GESTURE_present_card && g->into_s > 0.3f && g->into_s < 1.4f)
        look = CP_LOOK_CARD;
    if ((look == CP_LOOK_CARD && !own->has_card) || (look == CP_LOOK_PARTNER && !own->has_partner) ||
        look <= CP_LOOK_UNSET || look >= CP_LOOK_COUNT)
        return CP_LOOK_CAMERA;
    return look;
}

/* Where that is, own space. */
static void look_point(const struct cp_actor *actor, enum cp_look look, const struct cp_sight *own,
                       float ret[3])
{
    float middle[3], towards[3];
    middle_of_eyes(&actor->rig, MAT_IDENTITY, middle);
    switch (look) {
    case CP_LOOK_CARD:
        memcpy(ret, own->card, sizeof own->card);
        return;
    case CP_LOOK_PARTNER:
        memcpy(ret, own->partner_eye, sizeof own->partner_eye);
        return;
    case CP_LOOK_NOTES: /* on a desk an arm's length ahead */
        ret[0] = middle[0];
        ret[1] = middle[1] - 0.42f;
        ret[2] = middle[2] + 0.60f;
        return;
    default:
        vec_sub(own->camera_eye, middle, towards);
        memcpy(ret, own->camera_eye, sizeof own->camera_eye);
        if (!(fabsf(atan2f(towards[0], towards[2])) <= CAMERA_ASIDE)) { /* behind: straight ahead */
            memcpy(ret, middle, sizeof middle);
            ret[2] += 2;
        }
    }
}

/* When the hips shift aside the feet stay where they are: the legs lean, the soles stay flat. */
static void stand_on_feet(const struct rig *rig, struct stance *stance)
{
    for (int side = 0; side < 2; side++) {
        int step = side * (CP_BONE_RIGHT_UPPER_LEG - CP_BONE_LEFT_UPPER_LEG);
        enum cp_bone leg = (enum cp_bone)(CP_BONE_LEFT_UPPER_LEG + step),
                     foot = (enum cp_bone)(CP_BONE_LEFT_FOOT + step);
        if (rig->joint[leg] < 0 || rig->joint[foot] < 0)
            continue;
        float length = rig->pivot[rig->joint[leg]][1] - rig->pivot[rig->joint[foot]][1];
        float lean = length > 0.1f ? -stance->shift[0] / length : 0;
        stance_turn(stance, leg, 0, 0, lean);
        stance_turn(stance, foot, 0, 0, -lean);
    }
}

/* Turns of all bones but the eyes. */
static void make_stance(struct cp_actor *actor, struct stance *stance)
{
    const struct rig *rig = &actor->rig;
    const struct body *body = &actor->body;
    const float *gesture = actor->gesturer.value;
    float head[3] = {
        body->head[0] + actor->feeling.head[0] + actor->gaze.head.at[0] + gesture[GESTURE_HEAD_YAW],
        body->head[1] + actor->feeling.head[1] + actor->gaze.head.at[1] + gesture[GESTURE_HEAD_PITCH],
        body->head[2] + actor->feeling.head[2] + gesture[GESTURE_HEAD_ROLL]};
    head[0] = clampf(head[0], CP_RADIANS(-18), CP_RADIANS(18)) + actor->focus.head.at[0];
    head[1] = clampf(head[1], CP_RADIANS(-14), CP_RADIANS(18)) + actor->focus.head.at[1] - body->chest_pitch;
    head[2] = clampf(head[2], CP_RADIANS(-12), CP_RADIANS(12));
    float neck = rig->joint[CP_BONE_NECK] >= 0 ? NECK_SHARE : 0;
    float spine[3] = {body->spine[0] + actor->gaze.body.at[0] + actor->focus.body.at[0],
                      body->spine[1] + gesture[GESTURE_SPINE_PITCH], body->spine[2]};
    enum cp_bone chest = rig->joint[CP_BONE_CHEST] >= 0 ? CP_BONE_CHEST : CP_BONE_UPPER_CHEST;
    stance_clear(stance);
    stance_turn(stance, CP_BONE_SPINE, 0.6f * spine[0], 0.6f * spine[1], 0.6f * spine[2]);
    stance_turn(stance, chest, 0.4f * spine[0], 0.4f * spine[1] + body->chest_pitch, 0.4f * spine[2]);
    stance_turn(stance, CP_BONE_NECK, neck * head[0], neck * head[1], neck * head[2]);
    stance_turn(stance, CP_BONE_HEAD, (1 - neck) * head[0], (1 - neck) * head[1], (1 - neck) * head[2]);
    memcpy(stance->shift, body->shift, sizeof stance->shift);
    float lift = CP_RADIANS(7) * (body->shoulders * 0.6f + gesture[GESTURE_SHOULDERS]);
    stance_turn(stance, CP_BONE_LEFT_SHOULDER, 0, 0, lift);
    stance_turn(stance, CP_BONE_RIGHT_SHOULDER, 0, 0, -lift);
    stand_on_feet(rig, stance);
    for (int side = 0; side < 2; side++)
        arm_turn(&actor->gesturer.arm[side], side, stance);
    /* Raised shoulders do not swing the arms out. */
    stance_turn(stance, CP_BONE_LEFT_UPPER_ARM, 0, 0, -lift);
    stance_turn(stance, CP_BONE_RIGHT_UPPER_ARM, 0, 0, lift);
}

/* How far an eye has to turn in its posed head to look where the gaze goes: yaw and pitch. Computed from the
 * head as it stands now, so eyes stay on their goal while the head moves (the vestibulo-ocular reflex). */
static void eye_turn(const struct cp_actor *actor, int side, const float (*skin)[12], float ret[2])
{
    const struct rig *rig = &actor->rig;
    const struct focus *focus = &actor->focus;
    int head = rig->joint[CP_BONE_HEAD];
    const float *frame = head >= 0 ? skin[head] : MAT_IDENTITY;
    float at[3], point[3], to[3], in_head[3];
    middle_of_eyes(rig, MAT_IDENTITY, point);
    point[0] += focus->at[2] * sinf(focus->at[0]) * cosf(focus->at[1]);
    point[1] -= focus->at[2] * sinf(focus->at[1]);
    point[2] += focus->at[2] * cosf(focus->at[0]) * cosf(focus->at[1]);
    mat_point(frame, rig->eye[side], at);
    vec_sub(point, at, to);
    float yaw = atan2f(to[0], to[2]), pitch = -atan2f(to[1], hypotf(to[0], to[2]));
    yaw += actor->gaze.at[0] + actor->gesturer.value[GESTURE_GAZE_YAW];
    pitch += actor->gaze.at[1] + actor->gesturer.value[GESTURE_GAZE_PITCH];
    const float direction[3] = {sinf(yaw) * cosf(pitch), -sinf(pitch), cosf(yaw) * cosf(pitch)};
    mat_vector_back(frame, direction, in_head);
    ret[0] = clampf(atan2f(in_head[0], in_head[2]), -EYE_YAW, EYE_YAW);
    ret[1] = clampf(-atan2f(in_head[1], hypotf(in_head[0], in_head[2])), -EYE_UP, EYE_DOWN);
}

/* eyeLook shapes of one eye: the eyeball itself where shapes turn it, else the lids that go with it. */
static void look_shapes(const struct rig *rig, int side, const float turn[2], float *face)
{
    static const enum cp_shape shape[2][4] = {
        {CP_SHAPE_eyeLookUpLeft, CP_SHAPE_eyeLookDownLeft, CP_SHAPE_eyeLookInLeft, CP_SHAPE_eyeLookOutLeft},
        {CP_SHAPE_eyeLookUpRight, CP_SHAPE_eyeLookDownRight, CP_SHAPE_eyeLookInRight,
         CP_SHAPE_eyeLookOutRight}};
    float outward = side == 0 ? turn[0] : -turn[0];
    const float way[4] = {-turn[1], turn[1], -outward, outward};
    for (int i = 0; i < 4; i++) {
        float full = rig->eyes_by_shape && rig->look[side][i] > 0 ? rig->look[side][i] : LID_FULL;
        face[shape[side][i]] += clampf(way[i] / full, 0, 1);
    }
}

/* Lids: a shut eye is shut, and nothing that squints or follows the gaze may push the lids further. */
static void close_lids(const struct cp_actor *actor, float *face)
{
    float closed = actor->blinker.closed, open = 1 - closed;
    static const enum cp_shape lids[] = {CP_SHAPE_eyeSquintLeft,   CP_SHAPE_eyeSquintRight,
                                         CP_SHAPE_eyeWideLeft,     CP_SHAPE_eyeWideRight,
                                         CP_SHAPE_cheekSquintLeft, CP_SHAPE_cheekSquintRight};
    for (size_t i = 0; i < sizeof lids / sizeof *lids; i++)
        face[lids[i]] *= open;
    if (!actor->rig.eyes_by_shape)
        for (int s = CP_SHAPE_eyeLookDownLeft; s <= CP_SHAPE_eyeLookUpRight; s++)
            face[s] *= open;
    face[CP_SHAPE_eyeBlinkLeft] = fmaxf(face[CP_SHAPE_eyeBlinkLeft], closed);
    face[CP_SHAPE_eyeBlinkRight] = fmaxf(face[CP_SHAPE_eyeBlinkRight], closed);
}

/* Gestures that the cue names, and those that marks of the speech name when it gets there. */
static void step_gestures(struct cp_actor *actor, const struct cp_moment *moment, const struct cp_sight *own,
                          float dt_s)
{
    bool card_left = own->has_card && own->card[0] > 0;
    const struct cp_utterance *u = moment->utterance;
    gesturer_step(&actor->gesturer, moment->action, card_left, dt_s);
    if (!u)
        return;
    bool goes_on = u == actor->utterance && moment->offset_samples >= actor->last_offset;
    int32_t to = moment->offset_samples + CP_SAMPLES_PER_FRAME;
    gesturer_hear(&actor->gesturer, u, goes_on ? actor->heard_to : moment->offset_samples, to, card_left);
    actor->heard_to = to;
}

/* Life goes on by the time since the last frame. */
static float step_all(struct cp_actor *actor, const struct cp_moment *moment, const struct cp_sight *own)
{
    float dt_s = (float)(moment->at_samples - actor->last_at) / CP_SAMPLE_HZ, point[3], direction[3];
    if (actor->last_at < 0)
        dt_s = (float)CP_SAMPLES_PER_FRAME / CP_SAMPLE_HZ;
    actor->last_at = moment->at_samples;
    dt_s = clampf(dt_s, 0, LONGEST_STEP_S);
    bool speaking = moment->utterance || moment->attention == CP_ATTENTION_SPEAKING;
    feeling_step(&actor->feeling, moment->emotion, moment->emotion_intensity, dt_s);
    step_gestures(actor, moment, own, dt_s);
    enum cp_look look = choose_look(actor, moment, own);
    actor->gaze.glances = look == CP_LOOK_CARD || look == CP_LOOK_NOTES;
    motion_step(&actor->motions, &actor->rig, moment->action, actor->gesturer.started, dt_s);
    gaze_step(&actor->gaze, speaking ? CP_ATTENTION_SPEAKING : moment->attention, dt_s);
    if (actor->gaze.glances && actor->gaze.away)
        look = CP_LOOK_CAMERA;
    look_point(actor, look, own, point);
    direction_to(&actor->rig, point, direction);
    float shift_deg = focus_step(&actor->focus, look, direction, dt_s);
    blinker_step(&actor->blinker, speaking, fmaxf(actor->gaze.shift_deg, shift_deg), dt_s);
    body_step(&actor->body, moment, dt_s);
    beats_step(&actor->beats, actor->gesturer.arm, &actor->body, moment,
               actor->gesturer.playing < 0 && !actor->motions.playing, dt_s);
    gesturer_move(&actor->gesturer, dt_s);
    return dt_s;
}

/* What a moment that another one performs is to who stands beside. */
static struct cp_moment heard(const struct cp_moment *moment)
{
    struct cp_moment ret = {.at_samples = moment->at_samples, .gain = 1};
    ret.attention = moment->utterance ? CP_ATTENTION_LISTENING : moment->attention;
    if (ret.attention == CP_ATTENTION_SPEAKING)
        ret.attention = CP_ATTENTION_LISTENING;
    ret.emotion = moment->emotion;
    ret.emotion_intensity = 0.4f * moment->emotion_intensity;
    return ret;
}

void cp_actor_pose(struct cp_actor *actor, const struct cp_moment *moment, const struct cp_sight *sight,
                   struct cp_pose *ret_pose)
{
    const struct rig *rig = &actor->rig;
    const struct cp_sight own = own_sight(actor, sight);
    const struct cp_moment as_listener = heard(moment);
    actor->partner_silent_s += (float)CP_SAMPLES_PER_FRAME / CP_SAMPLE_HZ;
    if (sight->listens) {
        if (moment->utterance)
            actor->partner_silent_s = 0;
        moment = &as_listener;
    }
    float dt_s = step_all(actor, moment, &own);
    float face[CP_SHAPE_COUNT];
    struct mouth mouth;
    struct stance stance;
    speak(actor, moment, dt_s, &mouth);
    make_face(actor, &mouth, face);
    if (rig->target[CP_SHAPE_mouthClose] < 0) /* then only the jaw itself can bring the lips together */
        face[CP_SHAPE_jawOpen] = fmaxf(face[CP_SHAPE_jawOpen] - face[CP_SHAPE_mouthClose], 0);
    make_stance(actor, &stance);
    motion_apply(&actor->motions, rig, &stance);
    if (rig->target[CP_SHAPE_jawOpen] < 0)
        stance_turn(&stance, CP_BONE_JAW, 0, JAW_BONE * clampf(face[CP_SHAPE_jawOpen], 0, 1), 0);
    rig_skin(rig, &stance, ret_pose->skin);
    for (int side = 0; side < 2; side++) {
        float turn[2];
        eye_turn(actor, side, (const float(*)[12])ret_pose->skin, turn);
        look_shapes(rig, side, turn, face);
        if (!rig->eyes_by_shape)
            stance_turn(&stance, CP_BONE_LEFT_EYE + side, turn[0], turn[1], 0);
    }
    if (!rig->eyes_by_shape)
        rig_skin(rig, &stance, ret_pose->skin);
    constrain(rig, ret_pose->skin);
    spring_step(&actor->springs, ret_pose->skin, dt_s);
    close_lids(actor, face);
    int head = rig->joint[CP_BONE_HEAD];
    middle_of_eyes(rig, head >= 0 ? ret_pose->skin[head] : MAT_IDENTITY, actor->eye);
    put_on_stage(actor, rig->model->n_joints, ret_pose->skin);
    ret_pose->at_samples = moment->at_samples;
    ret_pose->n_targets = rig->model->n_targets;
    ret_pose->n_joints = rig->model->n_joints;
    memset(ret_pose->weight, 0, sizeof ret_pose->weight);
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        if (rig->target[s] >= 0)
            ret_pose->weight[rig->target[s]] = clampf(face[s], 0, 1);
    foreign_apply(rig, face, ret_pose->weight);
}
