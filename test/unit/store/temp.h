/* A store in a directory of its own, for tests. */
#ifndef TEST_STORE_TEMP_H
#define TEST_STORE_TEMP_H

#include "base/clock.h"
#include "store/store.h"
#include "store/store_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct temp {
    struct cp_store_config config;
    struct cp_store *store;
    struct cp_error error;
};

static inline void temp_open(struct temp *temp)
{
    if (cp_store_open(&temp->config, &temp->store, &temp->error))
        fail_msg("open: %s", temp->error.text);
}

static inline void temp_reopen(struct temp *temp)
{
    cp_store_close(temp->store);
    temp->store = NULL;
    temp_open(temp);
}

static inline struct temp *temp_create(const char *records, const char *objects)
{
    struct temp *temp = calloc(1, sizeof *temp);
    const char *base = getenv("TMPDIR");
    char directory[200];
    snprintf(directory, sizeof directory, "%s/cp-store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(directory));
    snprintf(temp->config.records, sizeof temp->config.records, "%s", records);
    snprintf(temp->config.objects, sizeof temp->config.objects, "%s", objects);
    snprintf(temp->config.directory, sizeof temp->config.directory, "%s/data", directory);
    temp->config.sweep_s = 3600;
    return temp;
}

/* The S3 server that test/peers/radosgw started, with a prefix that no other test uses. */
static inline void temp_use_s3(struct temp *temp)
{
    static int n;
    const char *endpoint = getenv("COMPERE_TEST_S3_ENDPOINT"), *bucket = getenv("COMPERE_TEST_S3_BUCKET");
    snprintf(temp->config.s3_endpoint, sizeof temp->config.s3_endpoint, "%s", endpoint ? endpoint : "");
    snprintf(temp->config.s3_bucket, sizeof temp->config.s3_bucket, "%s", bucket ? bucket : "");
    strcpy(temp->config.s3_region, "us-east-1");
    snprintf(temp->config.s3_prefix, sizeof temp->config.s3_prefix, "unit-%d-%d/", (int)getpid(), n++);
    strcpy(temp->config.s3_style, "path");
    strcpy(temp->config.s3_access_key, "env:COMPERE_TEST_S3_ACCESS_KEY");
    strcpy(temp->config.s3_secret_key, "env:COMPERE_TEST_S3_SECRET_KEY");
    temp->config.s3_part_mb = 5;
}

static inline void temp_destroy(struct temp *temp)
{
    char command[400], *slash = strrchr(temp->config.directory, '/');
    cp_store_close(temp->store);
    *slash = 0;
    snprintf(command, sizeof command, "rm -rf '%s'", temp->config.directory);
    assert_int_equal(system(command), 0);
    free(temp);
}

static inline int put(struct temp *temp, const char *partition, const char *key, const char *json)
{
    return cp_store_put_if(temp->store, partition, key, json, CP_STORE_ANY_VERSION, 0, NULL, &temp->error);
}

static inline int put_object(struct temp *temp, const char *key, const char *text, int64_t expires_wall_ns)
{
    return cp_store_object_put(temp->store, key, "text/plain", text, strlen(text), expires_wall_ns,
                               &temp->error);
}

/* The object as a string that lives until the next call; NULL when there is none. */
static inline const char *read_object(struct temp *temp, const char *key)
{
    static char text[4096];
    struct cp_buffer out = cp_buffer_make(sizeof text - 1);
    int result = cp_store_object_get(temp->store, key, 0, -1, &out, &temp->error);
    snprintf(text, sizeof text, "%s", cp_buffer_string(&out));
    cp_buffer_free(&out);
    return result ? NULL : text;
}

#endif
