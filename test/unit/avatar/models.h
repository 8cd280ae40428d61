/* Small models for the tests, made in memory. */
#ifndef TEST_AVATAR_MODELS_H
#define TEST_AVATAR_MODELS_H

#include "avatar/avatar.h"

#include <stddef.h>
#include <stdint.h>

/* A GLB of this JSON and binary chunk. The caller frees. */
uint8_t *make_glb(const char *json, const void *bin, size_t bin_bytes, size_t *ret_length);

/* A standing figure of one triangle a bone, with all ARKit shapes and VRM's upper body bones. arms_out: in a
 * T pose; else hanging. The caller drops it. */
struct cp_model *make_figure(int arms_out);
/* The same as a file in memory. The caller frees. */
uint8_t *make_figure_glb(int arms_out, size_t *ret_length);

/* Loads JSON with a binary chunk; returns the loader's code, the model in *ret. */
int load_json(const char *json, const void *bin, size_t bin_bytes, struct cp_model **ret,
              struct cp_error *error);

/* The path of a foreign model that lies beside the repository (shared/avatars), or NULL. Static memory. */
const char *foreign_model(const char *name);

#endif
