/* sculpt [--variant NAME] CHARACTER.cast OUT.glb [OUT.vrm]: builds a presenter from its parameters. */
#include "sculpt/bake.h"
#include "sculpt/character.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_character(const char *path, const char *variant, struct character *c)
{
    enum { FILE_MAX_BYTES = 64 * 1024 };
    char *text = calloc(1, FILE_MAX_BYTES + 1), wrong[160];
    FILE *file = fopen(path, "rb");
    int line = 0;
    if (!file) {
        fprintf(stderr, "sculpt: cannot read %s\n", path);
        free(text);
        return -1;
    }
    size_t n = fread(text, 1, FILE_MAX_BYTES, file);
    text[n] = 0;
    fclose(file);
    character_defaults(c);
    line = character_parse_variant(c, text, variant, wrong, sizeof wrong);
    if (line)
        fprintf(stderr, "%s:%d: %s\n", path, line, wrong);
    free(text);
    return line ? -1 : 0;
}

int main(int argc, char **argv)
{
    static struct sculpture sculpture;
    static struct baked baked;
    struct character c;
    const char *variant = NULL;
    if (argc > 2 && strcmp(argv[1], "--variant") == 0) {
        variant = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: sculpt [--variant NAME] CHARACTER.cast OUT.glb [OUT.vrm]\n");
        return 2;
    }
    if (read_character(argv[1], variant, &c) < 0)
        return 1;
    sculpt_presenter(&sculpture, &c);
    bake(&sculpture, &c, &baked);
    int triangles = 0, failed = write_glb(&baked, &c, false, argv[2]);
    if (!failed && argc == 4)
        failed = write_glb(&baked, &c, true, argv[3]);
    for (int k = 0; k < baked.n_parts; k++) {
        if (getenv("SCULPT_VERBOSE"))
            printf("%-14s %6d vertices %6d triangles\n", baked.parts[k].part.name,
                   baked.parts[k].part.n_vertices, baked.parts[k].part.n_indices / 3);
        triangles += baked.parts[k].part.n_indices / 3;
    }
    if (failed)
        perror(argv[2]);
    else
        printf("%s: %s, %d triangles\n", argv[2], c.name, triangles);
    baked_free(&baked);
    sculpture_free(&sculpture);
    return failed ? 1 : 0;
}
