/* The characters, made ready for drawing: vertices in groups of 16 a part, morph rows in integers, pieces. */
#include "render/render_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRIANGLES = 4000000, MAX_SURFACES = 255, MAX_PROXY = 5000, EXTRA = 64 };

static float finite_or(float x, float otherwise)
{
    return isfinite(x) ? x : otherwise;
}

/* Which vertices of the model became which of the mesh (a vertex that two parts use stands twice). */
struct renumber {
    int32_t *source; /* by mesh vertex: the model's, -1 for padding */
    int32_t *first;  /* by model vertex: its first mesh vertex, -1 for none */
    int32_t *next;   /* by mesh vertex: the next one with the same source */
};

static int check_size(const struct cp_model *model, struct cp_error *error)
{
    if (model->n_triangles > MAX_TRIANGLES)
        return cp_fail(error, CP_ERR_LIMIT, "render", "There are %d triangles; at most %d can be drawn.",
                       model->n_triangles, MAX_TRIANGLES);
    if (model->n_materials > MAX_SURFACES)
        return cp_fail(error, CP_ERR_LIMIT, "render", "There are %d materials; at most %d can be drawn.",
                       model->n_materials, MAX_SURFACES);
    return 0;
}

/* Numbers the vertices that each part uses, in their old order, each part from a multiple of GROUP. */
static int renumber_vertices(const struct cp_model *model, struct mesh *mesh, struct renumber *r)
{
    size_t nv = (size_t)model->n_vertices;
    size_t room = 0;
    int32_t *number = malloc(nv * sizeof *number);
    r->first = malloc(nv * sizeof *r->first);
    if (!number || !r->first)
        goto nomem;
    memset(r->first, 0xff, nv * sizeof *r->first);
    for (int p = 0, c = 0; p < mesh->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        while (p == mesh->characters[c].first_part + mesh->characters[c].n_parts)
            c++;
        memset(number, 0xff, nv * sizeof *number);
        size_t used = 0;
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++)
            for (int k = 0; k < 3; k++) {
                int32_t *n = &number[model->triangles[t][k]];
                used += *n < 0;
                *n = 0;
            }
        if (p == mesh->characters[c].first_part)
            mesh->characters[c].first_vertex = (int)room;
        size_t want = room + ((used + GROUP - 1) & ~(size_t)(GROUP - 1));
        int32_t *source = realloc(r->source, (want + 1) * sizeof *source);
        int32_t *next = source ? realloc(r->next, (want + 1) * sizeof *next) : NULL;
        r->source = source ? source : r->source;
        r->next = next ? next : r->next;
        if (!source || !next)
            goto nomem;
        size_t at = room;
        for (size_t v = 0; v < nv; v++)
            if (number[v] == 0) {
                number[v] = (int32_t)at;
                source[at] = (int32_t)v;
                next[at] = r->first[v];
                r->first[v] = (int32_t)at++;
            }
        for (; at < want; at++)
            source[at] = next[at] = -1;
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++)
            for (int k = 0; k < 3; k++)
                mesh->corner[k][t] = number[model->triangles[t][k]];
        room = want;
        mesh->characters[c].n_vertices = (int)room - mesh->characters[c].first_vertex;
    }
    mesh->n_vertices = (int)room;
    mesh->n_groups = (int)(room / GROUP);
    free(number);
    return 0;
nomem:
    free(number);
    return CP_ERR_NOMEM;
}

static uint8_t character_of(const struct mesh *mesh, int vertex)
{
    int c = mesh->n_characters - 1;
    while (c > 0 && vertex < mesh->characters[c].first_vertex)
        c--;
    return (uint8_t)c;
}

/* The bones of each group and their weights, column by column. */
static int group_bones(const struct cp_model *model, struct mesh *mesh, const struct renumber *r)
{
    size_t room = 0, n = 0;
    for (int g = 0; g < mesh->n_groups; g++) {
        struct group *group = &mesh->groups[g];
        group->first_bone = (int)n;
        group->character = character_of(mesh, g * GROUP);
        if (n + 4 * GROUP > room) {
            room = room * 2 + 64 * GROUP;
            uint16_t *bones = realloc(mesh->bones, room * sizeof *bones);
            mesh->bones = bones ? bones : mesh->bones;
            void *weights = bones ? realloc(mesh->bone_weights, room * sizeof mesh->bone_weights[0]) : NULL;
            if (!weights)
                return CP_ERR_NOMEM;
            mesh->bone_weights = weights;
        }
        for (int i = 0; i < GROUP; i++) {
            int32_t v = r->source[g * GROUP + i];
            float total = 0;
            for (int k = 0; v >= 0 && k < 4; k++) {
                float w = finite_or(model->vertices[v].weight[k], 0);
                int joint = model->vertices[v].joint[k];
                if (w <= 0 || joint >= model->n_joints)
                    continue;
                size_t b = (size_t)group->first_bone;
                while (b < n && mesh->bones[b] != joint)
                    b++;
                if (b == n) {
                    mesh->bones[n] = (uint16_t)joint;
                    memset(mesh->bone_weights[n++], 0, sizeof mesh->bone_weights[0]);
                }
                mesh->bone_weights[b][i] += w;
                total += w;
            }
            for (size_t b = (size_t)group->first_bone; total > 0 && b < n; b++)
                mesh->bone_weights[b][i] /= total;
        }
        if ((size_t)group->first_bone == n) { /* bound to nothing: the root carries it */
            mesh->bones[n] = (uint16_t)(group->character * CP_MODEL_MAX_JOINTS);
            for (int i = 0; i < GROUP; i++)
                mesh->bone_weights[n][i] = 1;
            n++;
        }
        group->n_bones = (int)(n - (size_t)group->first_bone);
    }
    return 0;
}

static int32_t to_units(float x, float unit)
{
    double v = (double)finite_or(x, 0) / (double)unit;
    return v > 2e9 ? 2000000000 : v < -2e9 ? -2000000000 : (int32_t)lrint(v);
}

/* The unit of positions: four times the character's extent fits 31 bits. */
static float choose_unit(const struct cp_model *model)
{
    float extent = 0.01f, move = 0;
    for (int v = 0; v < model->n_vertices; v++)
        for (int k = 0; k < 3; k++)
            extent = fmaxf(extent, fabsf(finite_or(model->vertices[v].position[k], 0)));
    for (int i = 0; i < model->n_rows; i++)
        for (int k = 0; k < 3; k++)
            move = fmaxf(move, fabsf(finite_or(model->rows[i].position[k], 0)));
    return (extent + 4 * move) * 2 / (float)(1 << 30);
}

static void fill_vertices(const struct cp_model *model, struct mesh *mesh, const struct renumber *r)
{
    for (int p = 0; p < mesh->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        const float *base = model->materials[model->parts[p].material].base_color;
        bool strands = mesh->surfaces[part->surface].kind == CP_SURFACE_HAIR;
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++)
            for (int k = 0; k < 3; k++) {
                int v = mesh->corner[k][t], g = v / GROUP, i = v % GROUP;
                const struct cp_vertex *from = &model->vertices[r->source[v]];
                mesh->groups[g].used = true;
                mesh->groups[g].strands = strands;
                float(*still)[GROUP] = mesh->still[g];
                for (int c = 0; c < 3; c++) {
                    mesh->accumulated[8 * v + c] = to_units(from->position[c], mesh->unit_m);
                    mesh->accumulated[8 * v + 4 + c] = to_units(from->normal[c], NORMAL_UNIT);
                    still[STILL_TANGENT + c][i] = finite_or(from->tangent[c], 0);
                    still[STILL_COLOR + c][i] = finite_or(from->color[c], 1) * base[c];
                }
                still[STILL_OCCLUSION][i] = finite_or(from->occlusion, 1);
                still[STILL_U][i] = finite_or(from->uv[0], 0);
                still[STILL_V][i] = finite_or(from->uv[1], 0);
            }
    }
}

static int fill_targets(const struct cp_model *model, struct mesh *mesh, const struct renumber *r)
{
    size_t n = 0;
    for (int i = 0; i < model->n_rows; i++)
        if (model->rows[i].vertex >= 0 && model->rows[i].vertex < model->n_vertices)
            for (int32_t v = r->first[model->rows[i].vertex]; v >= 0; v = r->next[v])
                n++;
    mesh->morph_rows = cp_render_alloc((n + 1) * sizeof *mesh->morph_rows);
    mesh->row_vertex = cp_render_alloc((n + 1) * sizeof *mesh->row_vertex);
    mesh->targets = cp_render_alloc(((size_t)model->n_targets + 1) * sizeof *mesh->targets);
    if (!mesh->morph_rows || !mesh->row_vertex || !mesh->targets)
        return CP_ERR_NOMEM;
    mesh->n_targets = model->n_targets;
    /* One target's rows may stand in another's range only if the model says so; each is written where it
     * belongs. */
    size_t at = 0;
    for (int i = 0; i < model->n_targets; i++) {
        const struct cp_target *target = &model->targets[i];
        mesh->targets[i].first_row = (int)at;
        for (int k = target->first_row; k < target->first_row + target->n_rows; k++) {
            const struct cp_target_row *row = &model->rows[k];
            if (row->vertex < 0 || row->vertex >= model->n_vertices)
                continue;
            for (int32_t v = r->first[row->vertex]; v >= 0 && at < n; v = r->next[v], at++) {
                mesh->row_vertex[at] = v;
                for (int c = 0; c < 3; c++) {
                    mesh->morph_rows[at].position[c] = to_units(row->position[c], mesh->unit_m * WEIGHT_UNIT);
                    mesh->morph_rows[at].normal[c] = to_units(row->normal[c], NORMAL_UNIT * WEIGHT_UNIT);
                }
            }
        }
        mesh->targets[i].n_rows = (int)at - mesh->targets[i].first_row;
    }
    return 0;
}

static int32_t root_of(int32_t *parent, int32_t v)
{
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

/*
 * Pieces: connected parts of a surface (one lock of hair, the face). Samples of one piece are shaded
 * together. When ids have no room for all of them, the last pieces of a surface share one number: an edge
 * between them is then smoothed a little less well.
 */
static int find_pieces(struct mesh *mesh, int max_ids)
{
    int bits = 1;
    while (max_ids >> bits)
        bits++;
    mesh->piece_shift = bits;
    int64_t max_pieces = (INT64_C(1) << (32 - bits)) - 1;
    if (max_pieces > 65535)
        max_pieces = 65535;
    size_t room = (size_t)mesh->n_vertices + 1; /* never 0 */
    int32_t *parent = malloc(room * sizeof *parent);
    int32_t *piece = calloc(room, sizeof *piece);
    int32_t shared[MAX_SURFACES + 1] = {0};
    mesh->piece_surface = cp_render_alloc(65536 * sizeof *mesh->piece_surface);
    if (!parent || !piece || !mesh->piece_surface) {
        free(parent);
        free(piece);
        return CP_ERR_NOMEM;
    }
    for (int v = 0; v < mesh->n_vertices; v++)
        parent[v] = v;
    for (int t = 0; t < mesh->n_triangles; t++)
        for (int k = 1; k < 3; k++)
            parent[root_of(parent, mesh->corner[0][t])] = root_of(parent, mesh->corner[k][t]);
    int n = 0;
    for (int p = 0; p < mesh->n_parts; p++) {
        const struct draw_part *part = &mesh->parts[p];
        for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++) {
            int32_t root = root_of(parent, mesh->corner[0][t]);
            if (!piece[root] && n < max_pieces - mesh->n_surfaces) {
                piece[root] = ++n;
                mesh->piece_surface[n] = (uint16_t)part->surface;
            } else if (!piece[root]) {
                if (!shared[part->surface]) {
                    shared[part->surface] = ++n;
                    mesh->piece_surface[n] = (uint16_t)part->surface;
                }
                piece[root] = shared[part->surface];
            }
            mesh->visibility_id[t] = (uint32_t)t | (uint32_t)piece[root] << bits;
        }
    }
    mesh->n_pieces = n;
    free(parent);
    free(piece);
    return 0;
}

/* Texels a metre of a textured surface, on average over its area: says which mip level to read. */
static float texel_density(const struct cp_model *model, const struct draw_part *part,
                           const struct texture *texture)
{
    double area = 0, uv_area = 0;
    for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++) {
        const struct cp_vertex *v[3];
        float a[3], b[3];
        for (int k = 0; k < 3; k++)
            v[k] = &model->vertices[model->triangles[t][k]];
        for (int k = 0; k < 3; k++) {
            a[k] = v[1]->position[k] - v[0]->position[k];
            b[k] = v[2]->position[k] - v[0]->position[k];
        }
        float c[3] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
        float uv = (v[1]->uv[0] - v[0]->uv[0]) * (v[2]->uv[1] - v[0]->uv[1]) -
                   (v[2]->uv[0] - v[0]->uv[0]) * (v[1]->uv[1] - v[0]->uv[1]);
        area += sqrt((double)(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]));
        uv_area += (double)fabsf(uv);
    }
    double texels = uv_area * texture->width[0] * texture->height[0];
    return area > 0 && isfinite(texels / area) ? (float)sqrt(texels / area) : 0;
}

/* How fast u changes across a surface, a metre, on average: hair shaders count strands by it. */
static float u_gradient(const struct cp_model *model, const struct draw_part *part)
{
    double sum = 0, area_sum = 0;
    for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++) {
        const struct cp_vertex *v[3];
        double a[3], b[3], g = 0;
        for (int k = 0; k < 3; k++)
            v[k] = &model->vertices[model->triangles[t][k]];
        for (int k = 0; k < 3; k++) {
            a[k] = (double)(v[1]->position[k] - v[0]->position[k]);
            b[k] = (double)(v[2]->position[k] - v[0]->position[k]);
        }
        double aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2], bb = b[0] * b[0] + b[1] * b[1] + b[2] * b[2];
        double ab = a[0] * b[0] + a[1] * b[1] + a[2] * b[2], det = aa * bb - ab * ab;
        double ua = (double)(v[1]->uv[0] - v[0]->uv[0]), ub = (double)(v[2]->uv[0] - v[0]->uv[0]);
        if (!(det > 1e-20))
            continue;
        double ca = (ua * bb - ub * ab) / det, cb = (ub * aa - ua * ab) / det;
        for (int k = 0; k < 3; k++)
            g += (ca * a[k] + cb * b[k]) * (ca * a[k] + cb * b[k]);
        sum += sqrt(g) * sqrt(det);
        area_sum += sqrt(det);
    }
    return area_sum > 0 && isfinite(sum / area_sum) ? (float)(sum / area_sum) : 0;
}

/* True when vertex colours draw something: a white and an iris, not one colour. */
static bool is_painted(const struct cp_model *model, const struct draw_part *part)
{
    float low = 1e9f, high = -1e9f;
    for (int t = part->first_triangle; t < part->first_triangle + part->n_triangles; t++)
        for (int k = 0; k < 3; k++) {
            float green = model->vertices[model->triangles[t][k]].color[1];
            low = fminf(low, green);
            high = fmaxf(high, green);
        }
    return high - low > 0.2f;
}

static int make_surfaces(const struct cp_model *model, struct mesh *mesh)
{
    mesh->n_surfaces = model->n_materials;
    mesh->surfaces = cp_render_alloc((size_t)mesh->n_surfaces * sizeof *mesh->surfaces);
    mesh->textures = cp_render_alloc(((size_t)model->n_textures + 1) * sizeof *mesh->textures);
    mesh->n_parts = model->n_parts;
    mesh->parts = cp_render_alloc((size_t)mesh->n_parts * sizeof *mesh->parts);
    if (!mesh->surfaces || !mesh->textures || !mesh->parts)
        return CP_ERR_NOMEM;
    for (int i = 0; i < model->n_textures; i++, mesh->n_textures++)
        if (cp_texture_create(&model->textures[i], &mesh->textures[i]))
            return CP_ERR_NOMEM;
    for (int i = 0; i < model->n_materials; i++) {
        const struct cp_material *from = &model->materials[i];
        struct surface *to = &mesh->surfaces[i];
        bool known = from->surface > CP_SURFACE_UNSET && from->surface < CP_SURFACE_COUNT;
        *to = (struct surface){
            .kind = known ? from->surface : CP_SURFACE_PLAIN,
            .roughness = fminf(fmaxf(finite_or(from->roughness, 1), 0.05f), 1),
            .metallic = fminf(fmaxf(finite_or(from->metallic, 0), 0), 1),
            .emissive = {finite_or(from->emissive[0], 0), finite_or(from->emissive[1], 0),
                         finite_or(from->emissive[2], 0)},
            .texture = from->texture >= 0 && from->texture < model->n_textures &&
                               mesh->textures[from->texture].levels
                           ? from->texture
                           : -1,
            .alpha_cutoff = finite_or(from->alpha_cutoff, 0),
            .base_alpha = finite_or(from->base_color[3], 1),
            .double_sided = from->double_sided,
            .shade = {finite_or(from->shade[0], 1), finite_or(from->shade[1], 1),
                      finite_or(from->shade[2], 1)},
            .toon_shift = finite_or(from->toon_shift, 0),
            .toon_width = fminf(fmaxf(1 - finite_or(from->toon_sharp, 0), 0.02f), 1),
        };
        for (int c = 0; c < mesh->n_characters; c++)
            if (i >= mesh->characters[c].first_material)
                to->character = c;
    }
    for (int p = 0; p < mesh->n_parts; p++) {
        struct draw_part *part = &mesh->parts[p];
        part->first_triangle = model->parts[p].first_triangle;
        part->n_triangles = model->parts[p].n_triangles;
        part->surface = model->parts[p].material;
        struct surface *surface = &mesh->surfaces[part->surface];
        if (surface->kind == CP_SURFACE_EYE)
            surface->painted |= surface->texture >= 0 || is_painted(model, part);
        if (surface->kind == CP_SURFACE_HAIR) {
            float slope = u_gradient(model, part);
            surface->metres_per_u = slope > 0 ? 1 / slope : 0.01f;
        }
        if (surface->texture >= 0)
            surface->texels_per_m =
                fmaxf(surface->texels_per_m, texel_density(model, part, &mesh->textures[surface->texture]));
    }
    return 0;
}

static void rest_position(const struct mesh *mesh, int vertex, float *ret_position)
{
    for (int k = 0; k < 3; k++)
        ret_position[k] = (float)mesh->accumulated[8 * vertex + k] * mesh->unit_m;
}

/* What casts and takes shadows: head and shoulders. */
static void measure(const struct mesh *mesh, const struct renumber *r, struct character *c)
{
    float head = c->head_height_m > 0.01f ? c->head_height_m : 0.22f, p[3];
    int n = 0, end = c->first_vertex + c->n_vertices;
    double sum[3] = {0}, anchors[3] = {0};
    if (!r->source) /* no parts, no vertices */
        end = c->first_vertex;
    for (int v = c->first_vertex; v < end; v++) {
        rest_position(mesh, v, p);
        if (r->source[v] < 0 || p[1] <= c->eye_height_m - head)
            continue;
        for (int k = 0; k < 3; k++)
            sum[k] += (double)p[k];
        n++;
    }
    int left = n, every = n / MAX_ANCHORS + 1;
    for (int v = c->first_vertex; v < end && c->n_anchors < MAX_ANCHORS; v++) {
        rest_position(mesh, v, p);
        if (r->source[v] < 0 || p[1] <= c->eye_height_m - head || left-- % every)
            continue;
        for (int k = 0; k < 3; k++)
            anchors[k] += (double)p[k];
        c->anchor[c->n_anchors++] = v;
    }
    float center[3] = {n ? (float)(sum[0] / n) : 0, c->eye_height_m - 0.45f * head,
                       n ? (float)(sum[2] / n) : 0};
    for (int k = 0; k < 3; k++)
        c->from_anchors[k] = center[k] - (c->n_anchors ? (float)(anchors[k] / c->n_anchors) : 0);
    c->radius_m = 1.45f * head;
}

static int make_proxies(struct mesh *mesh)
{
    float(*position)[3] = malloc(((size_t)mesh->n_vertices + 1) * sizeof *position);
    mesh->proxy = malloc((size_t)mesh->n_characters * MAX_PROXY * sizeof *mesh->proxy);
    if (!position || !mesh->proxy) {
        free(position);
        return CP_ERR_NOMEM;
    }
    float low[3] = {0};
    for (int v = 0; v < mesh->n_vertices; v++) {
        rest_position(mesh, v, position[v]);
        for (int k = 0; k < 3; k++)
            low[k] = fminf(low[k], position[v][k]);
    }
    for (int v = 0; v < mesh->n_vertices; v++)
        for (int k = 0; k < 3; k++)
            position[v][k] -= low[k];
    int first = 0, n = 0;
    for (int i = 0; i < mesh->n_characters && n >= 0; i++, first += n) {
        struct character *c = &mesh->characters[i];
        n = cp_mesh_make_proxy(mesh, c, (const float(*)[3])position, MAX_PROXY, mesh->proxy + first);
        c->first_proxy = first;
        c->n_proxy = n;
    }
    free(position);
    return n < 0 ? CP_ERR_NOMEM : 0;
}

static int allocate_triangles(const struct cp_model *model, struct mesh *mesh)
{
    size_t n = (size_t)model->n_triangles + EXTRA;
    mesh->n_triangles = model->n_triangles;
    for (int k = 0; k < 3; k++)
        if (!(mesh->corner[k] = cp_render_alloc(n * sizeof(int32_t))))
            return CP_ERR_NOMEM;
    mesh->visibility_id = cp_render_alloc(n * sizeof(uint32_t));
    mesh->even_m = cp_render_alloc((2 * n + 4096) * sizeof *mesh->even_m);
    mesh->rows = cp_render_alloc((2 * n + 4096) * sizeof *mesh->rows);
    return mesh->visibility_id && mesh->even_m && mesh->rows ? 0 : CP_ERR_NOMEM;
}

static int fill_mesh(const struct cp_model *model, struct mesh *mesh, struct renumber *renumber)
{
    int err;
    mesh->unit_m = choose_unit(model);
    if ((err = make_surfaces(model, mesh)) || (err = allocate_triangles(model, mesh)) ||
        (err = renumber_vertices(model, mesh, renumber)))
        return err;
    size_t nv = (size_t)mesh->n_vertices;
    mesh->groups = cp_render_alloc(((size_t)mesh->n_groups + 1) * sizeof *mesh->groups);
    mesh->still = cp_render_alloc(((size_t)mesh->n_groups + 1) * sizeof *mesh->still);
    mesh->accumulated = cp_render_alloc((nv + GROUP) * 8 * sizeof(int32_t));
    err = mesh->groups && mesh->still && mesh->accumulated ? 0 : CP_ERR_NOMEM;
    if (err || (err = group_bones(model, mesh, renumber)))
        return err;
    fill_vertices(model, mesh, renumber);
    cp_mesh_find_even(mesh);
    if ((err = fill_targets(model, mesh, renumber)) ||
        (err = find_pieces(mesh, 2 * mesh->n_triangles + 4096)) || (err = make_proxies(mesh)))
        return err;
    for (int t = 0; t < mesh->n_triangles; t++)
        for (int k = 0; k < 3; k++)
            mesh->rows[t][k] = mesh->corner[k][t] * ROW_FLOATS;
    for (int i = 0; i < mesh->n_characters; i++)
        measure(mesh, renumber, &mesh->characters[i]);
    return 0;
}

int cp_mesh_create(const struct cp_stage_spec *spec, struct mesh **ret_mesh, struct cp_error *error)
{
    struct cp_model joined = {0};
    struct renumber renumber = {0};
    struct mesh *mesh = cp_render_alloc(sizeof *mesh);
    if (!mesh)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the characters.");
    mesh->n_characters = spec->n_models;
    int err = cp_join_models(spec, &joined, mesh->characters, error);
    if (!err)
        err = check_size(&joined, error);
    if (!err && (err = fill_mesh(&joined, mesh, &renumber)))
        cp_fail(error, err, "render", "Out of memory for the characters.");
    cp_joined_clear(&joined);
    free(renumber.source);
    free(renumber.first);
    free(renumber.next);
    if (err) {
        cp_mesh_destroy(mesh);
        return err;
    }
    *ret_mesh = mesh;
    return 0;
}

void cp_mesh_destroy(struct mesh *mesh)
{
    if (!mesh)
        return;
    for (int i = 0; i < mesh->n_textures; i++)
        for (int k = 0; k < mesh->textures[i].levels; k++)
            cp_render_free(mesh->textures[i].texels[k]);
    for (int k = 0; k < 3; k++)
        cp_render_free(mesh->corner[k]);
    free(mesh->bones);
    free(mesh->bone_weights);
    free(mesh->proxy);
    cp_render_free(mesh->groups);
    cp_render_free(mesh->still);
    cp_render_free(mesh->rows);
    cp_render_free(mesh->visibility_id);
    cp_render_free(mesh->even_m);
    cp_render_free(mesh->piece_surface);
    cp_render_free(mesh->parts);
    cp_render_free(mesh->surfaces);
    cp_render_free(mesh->textures);
    cp_render_free(mesh->targets);
    cp_render_free(mesh->row_vertex);
    cp_render_free(mesh->morph_rows);
    cp_render_free(mesh->accumulated);
    cp_render_free(mesh);
}
