#include "speech/engines/flite_hooks.h"

#include "speech/dsp/vocoder.h"

#include <dlfcn.h>
#include <flite/cst_cg.h>
#include <flite/cst_regex.h>
#include <flite/flite.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const atomic_bool *stop;
    bool forget;
    int64_t frames;
} state;

/* --- features --- */

/*
 * Trees, and the functions that they ask, look for features by a path:
 * "R:mcep_link.parent.R:segstate.parent.p.name" is the name of the phone before the frame's. Following it
 * costs thousands of instructions, mostly comparisons of names, and a sentence asks for 100,000. The answers
 * are kept, those of paths that begin by going to the frame's state for the state, for as long as trees are
 * asked about the states, or the frames, of one utterance: meanwhile nothing changes that they ask for. All
 * such paths are literals, so that an address stands for a path.
 */
enum { MEMO_BITS = 14 };
static struct memo {
    const cst_item *item;
    const char *path; /* from the item on */
    const cst_val *value;
} memos[1 << MEMO_BITS];             /* one that falls on another takes its place */
static const cst_relation *relation; /* that they are of, or NULL */

static struct hop {
    const char *prefix, *relation;
    size_t length;             /* of the prefix */
    const cst_item *from, *to; /* the last one taken */
} to_state = {"R:mcep_link.parent.", "mcep_link", 19, NULL, NULL},
  to_phone = {"R:segstate.parent.", "segstate", 18, NULL, NULL};

static void forget_all(void)
{
    for (size_t i = 0; relation && i < sizeof memos / sizeof *memos; i++) {
        if (memos[i].item)
            delete_val((cst_val *)memos[i].value);
        memos[i].item = NULL;
    }
    to_state.from = to_phone.from = NULL;
    relation = NULL;
}

/* The library's own. */
static const cst_val *look_up(const cst_item *item, const char *path)
{
    static const cst_val *(*theirs)(const cst_item *, const char *);
    if (!theirs)
        *(void **)&theirs = dlsym(RTLD_NEXT, "ffeature");
    return theirs(item, path);
}

/* What the item's feature is; looked up once. */
static const cst_val *remember(const cst_item *item, const char *path)
{
    uint64_t key = ((uint64_t)(uintptr_t)item ^ (uint64_t)(uintptr_t)path << 20) * 0x9e3779b97f4a7c15u;
    struct memo *memo = &memos[key >> (64 - MEMO_BITS)]; /* Fibonacci hashing */
    if (memo->item == item && memo->path == path)
        return memo->value;
    const cst_val *value = look_up(item, path);
    val_inc_refcount(value);
    if (memo->item)
        delete_val((cst_val *)memo->value);
    *memo = (struct memo){item, path, value};
    return value;
}

/* Goes on from where the path's beginning leads, if it is this one. */
static bool take_hop(struct hop *hop, const cst_item **item, const char **path)
{
    if (strncmp(*path, hop->prefix, hop->length) != 0)
        return false;
    if (hop->from != *item) {
        hop->from = *item;
        hop->to = item_parent(item_as(*item, hop->relation));
    }
    if (!hop->to)
        return false;
    *item = hop->to;
    *path += hop->length;
    return true;
}

/* *item and *path to what it leads to; true when that is another item. */
static bool go_on(const cst_item **item, const char **path)
{
    bool moved = take_hop(&to_state, item, path);
    return take_hop(&to_phone, item, path) || moved;
}

const cst_val *ffeature(const cst_item *item, const char *path)
{
    bool lasting = item && relation && item->relation == relation;
    return lasting && go_on(&item, &path) ? remember(item, path) : look_up(item, path);
}

/* --- decision trees --- */

static bool answers_yes(const cst_cart_node *node, const cst_val *value)
{
    switch (node->op) {
    case CST_CART_OP_IS:
        return val_equal(value, node->val);
    case CST_CART_OP_LESS:
        return val_less(value, node->val);
    case CST_CART_OP_GREATER:
        return val_greater(value, node->val);
    case CST_CART_OP_IN:
        return val_member(value, node->val);
    case CST_CART_OP_MATCHES:
        return cst_regex_match(cst_regex_table[val_int(node->val)], val_string(value));
    default:
        return false;
    }
}

const cst_val *cart_interpret(cst_item *item, const cst_cart *tree)
{
    /* elsewhere trees are asked while what they ask for is being made */
    const char *name = item->relation->name;
    bool lasting = !state.forget && (!strcmp(name, "mcep") || !strcmp(name, "HMMstate"));
    if (relation != item->relation) {
        forget_all();
        relation = lasting ? item->relation : NULL;
    }
    const cst_cart_node *node = tree->rule_table;
    while (node->op != CST_CART_OP_LEAF) {
        const char *path = tree->feat_table[node->feat];
        const cst_item *of = item;
        if (lasting)
            go_on(&of, &path);
        const cst_val *value = lasting ? remember(of, path) : look_up(item, path);
        val_inc_refcount(value);
        bool yes = answers_yes(node, value);
        delete_val((cst_val *)value);
        node = yes ? node + 1 : tree->rule_table + node->no_node;
    }
    return node->val;
}

/* --- the vocoder --- */

static struct cp_vocoder_setup setup_of(const cst_cg_db *model)
{
    return (struct cp_vocoder_setup){
        .hz = model->sample_rate,
        .frame_samples = (int)lround(model->frame_advance * model->sample_rate),
        .order = 24, /* of the tracks that mlpg() makes: pitch, coefficients 0 to 24 */
        .warp = model->mlsa_alpha,
        .crisp = model->mlsa_beta,
        .gain = model->gain,
        .n_bands = model->ME_num,
        .n_taps = model->ME_order,
        .bands = model->me_h,
    };
}

/* NULL is what flite takes for an interruption. */
cst_wave *mlsa_resynthesis(const cst_track *frames, const cst_track *bands, cst_cg_db *model,
                           cst_audio_streaming_info *info, int fewer)
{
    const struct cp_vocoder_setup setup = setup_of(model);
    if (!model->do_mlpg || !model->mixed_excitation || !cp_vocoder_fits(&setup) ||
        frames->num_channels < setup.order + 2 || bands->num_channels < setup.n_bands) {
        cst_wave *(*theirs)(const cst_track *, const cst_track *, cst_cg_db *, cst_audio_streaming_info *,
                            int);
        *(void **)&theirs = dlsym(RTLD_NEXT, "mlsa_resynthesis");
        return theirs ? theirs(frames, bands, model, info, fewer) : NULL;
    }
    static const atomic_bool never = false;
    int n = frames->num_frames < bands->num_frames ? frames->num_frames : bands->num_frames;
    cst_wave *wave = new_wave();
    cst_wave_resize(wave, n > 1 ? (n - 1) * setup.frame_samples : 0, 1);
    wave->sample_rate = setup.hz;
    state.frames += n;
    if (n > 1 && cp_vocode(&setup, (const float *const *)frames->frames, (const float *const *)bands->frames,
                           n, state.stop ? state.stop : &never, wave->samples)) {
        delete_wave(wave);
        return NULL;
    }
    return wave;
}

/* --- around --- */

void cp_flite_hooks_begin(const atomic_bool *stop)
{
    state.stop = stop;
}

void cp_flite_hooks_end(void)
{
    forget_all();
    state.stop = NULL;
}

void cp_flite_hooks_forget(bool always)
{
    state.forget = always;
}

int64_t cp_flite_hooks_frames(void)
{
    return state.frames;
}
