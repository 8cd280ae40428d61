/* `compere key create`: a new key, printed once. Works beside a running server on the same data directory. */
#include "app/app.h"

#include <stdio.h>
#include <string.h>

int cp_cmd_key(int argc, char **argv)
{
    static struct cp_app_config config;
    struct cp_error error = {.text = ""};
    struct cp_store *store = NULL;
    char key[CP_KEY_BYTES], id[40], *rest[64];
    const char *role_name = "", *name = "";
    int n = 0, left = 0;
    for (int i = 0; i < argc && n < 64; i++) {
        if (!strcmp(argv[i], "--role") && i + 1 < argc)
            role_name = argv[++i];
        else if (!strcmp(argv[i], "--name") && i + 1 < argc)
            name = argv[++i];
        else
            rest[n++] = argv[i];
    }
    enum cp_role role = cp_role_from_name(role_name);
    int result = cp_app_configure(&config, n, rest, &left, &error);
    if (!result && (left != 1 || strcmp(rest[0], "create") || role < CP_ROLE_VIEWER)) {
        fputs("usage: compere key create --role admin|operator|viewer [--name NAME] [--data DIR]\n", stderr);
        return 2;
    }
    if (!result)
        result = cp_store_open(&config.store, &store, &error);
    if (!result)
        result = cp_key_create(store, role, name, key, id, &error);
    cp_store_close(store);
    if (result) {
        fprintf(stderr, "compere: %s\n", error.text);
        return 1;
    }
    fprintf(stderr, "A new %s key, id %s. It is not shown again:\n", role_name, id);
    puts(key);
    return 0;
}
