#include "answers/embed/embed.h"

#include "answers/endpoint.h"
#include "base/breaker.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 16,           /* passages of a request */
    PASSAGE_BYTES = 6000, /* of one that are sent: models read some 500 to 8000 tokens */
    ANSWER_BYTES = 16 << 20,
    BATCH_MS = 60000, /* a model on a CPU takes its time */
    TRY_MS = 10000,
    REMEMBERED = 64, /* questions */
    QUESTION_BYTES = 1000,
    TICK_S = 1,
};

struct remembered { /* a question's vector */
    char question[QUESTION_BYTES];
    int8_t packed[CP_VECTOR_MOST];
    float scale;
    int n;
    uint64_t used;
};

struct cp_embedder {
    struct cp_answers *answers;
    struct cp_http *http;
    struct cp_vectors *vectors;
    struct cp_runner runner;
    struct cp_endpoint endpoint;
    char model[CP_OPTION_TEXT_BYTES];
    atomic_bool stop;
    pthread_mutex_t lock; /* guards what follows */
    struct cp_breaker breaker;
    uint64_t failures, uses;
    struct remembered *remembered;
};

int cp_embed_make_tables(sqlite3 *db)
{
    static const char TABLES[] = "CREATE TABLE IF NOT EXISTS vectors(passage INTEGER PRIMARY KEY, scale REAL "
                                 "NOT NULL, data BLOB NOT NULL);"
                                 "CREATE TABLE IF NOT EXISTS vector_model(name TEXT NOT NULL);"
                                 /* a passage that goes or changes loses its vector, whoever does it */
                                 "CREATE TRIGGER IF NOT EXISTS vector_of_deleted AFTER DELETE ON passages"
                                 " BEGIN DELETE FROM vectors WHERE passage = OLD.id; END;"
                                 "CREATE TRIGGER IF NOT EXISTS vector_of_changed AFTER UPDATE ON passages"
                                 " BEGIN DELETE FROM vectors WHERE passage = OLD.id; END;";
    return sqlite3_exec(db, TABLES, NULL, NULL, NULL) ? -1 : 0;
}

static uint32_t scope_of(const char *collection)
{
    char term[20];
    cp_index_scope(collection, term);
    uint32_t scope = (uint32_t)strtoul(term + 1, NULL, 16);
    return scope ? scope : 1;
}

/* --- asking the endpoint --- */

/* {"data":[{"index","embedding":[...]}]} with n of them, each of the same length; the vectors one behind the
 * other, to be freed, or NULL. */
static float *read_answer(const struct cp_buffer *body, int n, int *ret_width)
{
    json_t *answer = json_loadb((const char *)body->data, body->length, 0, NULL);
    const json_t *data = json_object_get(answer, "data");
    size_t width = json_array_size(json_object_get(json_array_get(data, 0), "embedding"));
    bool good = json_array_size(data) == (size_t)n && width > 0 && width <= CP_VECTOR_MOST;
    float *vectors = good ? calloc((size_t)n * width, sizeof *vectors) : NULL;
    size_t i, k;
    const json_t *row, *value;
    json_array_foreach(data, i, row)
    {
        const json_t *index = json_object_get(row, "index"), *embedding = json_object_get(row, "embedding");
        json_int_t at = index ? json_integer_value(index) : (json_int_t)i;
        good = good && at >= 0 && at < n && json_array_size(embedding) == width;
        if (good && vectors)
            json_array_foreach(embedding, k, value) vectors[(size_t)at * width + k] =
                (float)json_number_value(value);
    }
    json_decref(answer);
    if (good && vectors) {
        *ret_width = (int)width;
        return vectors;
    }
    free(vectors);
    return NULL;
}

static void note(struct cp_embedder *embedder, bool good, const struct cp_error *error)
{
    pthread_mutex_lock(&embedder->lock);
    enum cp_breaker_state before = embedder->breaker.state;
    if (good)
        cp_breaker_success(&embedder->breaker);
    else
        cp_breaker_failure(&embedder->breaker, cp_clock_now_ns());
    embedder->failures += !good;
    bool opened = before == CP_BREAKER_CLOSED && embedder->breaker.state == CP_BREAKER_OPEN;
    pthread_mutex_unlock(&embedder->lock);
    if (opened)
        cp_log(CP_LOG_WARN, STAGE, "the embeddings' endpoint keeps failing; questions are answered by words",
               "error=\"%s\"", error->text);
}

/* Texts to vectors, in their order; NULL when it failed. Takes the reference of `texts`. */
static float *ask(struct cp_embedder *embedder, json_t *texts, int64_t most_ms, int *ret_width,
                  struct cp_error *ret_error)
{
    int n = (int)json_array_size(texts);
    pthread_mutex_lock(&embedder->lock);
    bool allowed = cp_breaker_allow(&embedder->breaker, cp_clock_now_ns());
    pthread_mutex_unlock(&embedder->lock);
    json_t *body =
        json_pack("{s:s,s:s,s:o}", "model", embedder->model, "encoding_format", "float", "input", texts);
    char *text = body && allowed ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (!text)
        return NULL;
    const char *headers[] = {"Content-Type: application/json",
                             *embedder->endpoint.authorization ? embedder->endpoint.authorization : NULL,
                             NULL};
    const struct cp_http_request request = {.who = "the embeddings' endpoint",
                                            .stage = STAGE,
                                            .method = "POST",
                                            .url = embedder->endpoint.url,
                                            .headers = headers,
                                            .body = text,
                                            .body_bytes = strlen(text),
                                            .max_body_bytes = ANSWER_BYTES,
                                            .connect_ms = most_ms,
                                            .first_byte_ms = most_ms,
                                            .idle_ms = most_ms,
                                            .total_ms = most_ms,
                                            .stop = &embedder->stop};
    struct cp_http_response response;
    struct cp_error ours = {0}, *error = ret_error ? ret_error : &ours;
    int result = cp_http_send(embedder->http, &request, &response, error);
    if (!result)
        result = cp_http_check(&request, &response, error);
    float *vectors = result ? NULL : read_answer(&response.body, n, ret_width);
    if (!result && !vectors)
        cp_fail(error, CP_ERR_FORMAT, STAGE, "The embeddings' endpoint answers what is no embeddings.");
    if (result != CP_ERR_CANCELLED)
        note(embedder, vectors, error);
    cp_http_response_free(&response);
    free(text);
    return vectors;
}

/* --- passages, in the background --- */

struct batch {
    int64_t passage[BATCH];
    uint32_t scope[BATCH];
    json_t *texts;
    int n;
};

/* The next passages without a vector, as many as memory has room for. thread: embed */
static void next_batch(struct cp_embedder *embedder, struct batch *batch)
{
    struct connection *reader = cp_answers_reader(embedder->answers);
    sqlite3_stmt *row = NULL;
    int64_t room = embedder->answers->config.embed_most - cp_vectors_count(embedder->vectors);
    int most = room < BATCH ? (int)room : BATCH;
    *batch = (struct batch){.texts = json_array()};
    if (!sqlite3_prepare_v2(
            reader->db,
            "SELECT p.id, d.collection, d.title, p.heading, p.question, p.text FROM passages p JOIN"
            " documents d ON d.number = p.document LEFT JOIN vectors v ON v.passage = p.id WHERE"
            " v.passage IS NULL ORDER BY p.id LIMIT ?1",
            -1, &row, NULL)) {
        sqlite3_bind_int(row, 1, most);
        while (batch->n < most && sqlite3_step(row) == SQLITE_ROW) {
            struct cp_buffer text = cp_buffer_make(1 << 20);
            for (int i = 2; i < 6; i++)
                cp_buffer_printf(&text, "%s%s", text.length ? "\n" : "",
                                 (const char *)sqlite3_column_text(row, i));
            size_t length = text.length < PASSAGE_BYTES ? text.length : PASSAGE_BYTES;
            while (length && length < text.length && (text.data[length] & 0xc0) == 0x80)
                length--;
            json_array_append_new(batch->texts, json_stringn(cp_buffer_string(&text), length));
            cp_buffer_free(&text);
            batch->scope[batch->n] = scope_of((const char *)sqlite3_column_text(row, 1));
            batch->passage[batch->n++] = sqlite3_column_int64(row, 0);
        }
    }
    sqlite3_finalize(row);
    cp_answers_release(reader);
}

/* One passage's vector to the file and to memory, if the passage is still there. thread: holder of the writer
 */
static bool keep(struct cp_embedder *embedder, sqlite3_stmt *insert, int64_t passage, uint32_t scope,
                 const float *vector, int n)
{
    int8_t packed[CP_VECTOR_MOST];
    float scale = 0;
    if (!cp_vector_pack(vector, n, packed, &scale)) {
        memset(packed, 0, (size_t)n); /* far from everything, and not asked for again */
        scale = 0;
    }
    sqlite3_bind_int64(insert, 1, passage);
    sqlite3_bind_double(insert, 2, (double)scale);
    sqlite3_bind_blob(insert, 3, packed, n, SQLITE_STATIC);
    int step = sqlite3_step(insert);
    sqlite3_reset(insert);
    return step == SQLITE_DONE && cp_vectors_put(embedder->vectors, passage, scope, packed, scale, n);
}

static bool keep_batch(struct cp_embedder *embedder, const struct batch *batch, const float *vectors,
                       int width)
{
    struct connection *writer = &embedder->answers->writer;
    sqlite3_stmt *insert = NULL;
    pthread_mutex_lock(&writer->lock);
    bool good =
        !sqlite3_exec(writer->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) &&
        !sqlite3_prepare_v2(writer->db,
                            "INSERT OR REPLACE INTO vectors SELECT id, ?2, ?3 FROM passages WHERE id = ?1",
                            -1, &insert, NULL);
    for (int i = 0; i < batch->n && good; i++)
        good = keep(embedder, insert, batch->passage[i], batch->scope[i], vectors + (size_t)i * (size_t)width,
                    width);
    sqlite3_finalize(insert);
    good = good && !sqlite3_exec(writer->db, "COMMIT", NULL, NULL, NULL);
    if (!good && !sqlite3_get_autocommit(writer->db))
        sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&writer->lock);
    return good;
}

/* Passages that are gone leave memory, when they are a tenth of it. thread: embed */
static void forget_gone(struct cp_embedder *embedder)
{
    struct connection *reader = cp_answers_reader(embedder->answers);
    int64_t in_memory = cp_vectors_count(embedder->vectors), n = 0;
    int64_t *passages = malloc((size_t)in_memory * sizeof *passages + 1);
    sqlite3_stmt *row = NULL;
    bool read = passages && !sqlite3_prepare_v2(reader->db, "SELECT passage FROM vectors ORDER BY passage",
                                                -1, &row, NULL);
    int step = SQLITE_DONE;
    while (read && n < in_memory && (step = sqlite3_step(row)) == SQLITE_ROW)
        passages[n++] = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    cp_answers_release(reader);
    if (read && step == SQLITE_DONE && in_memory - n > in_memory / 10)
        cp_vectors_retain(embedder->vectors, passages, n);
    free(passages);
}

/* All that have none, while the endpoint answers. thread: embed */
static void embed_passages(void *user)
{
    struct cp_embedder *embedder = user;
    for (bool more = true; more && !atomic_load(&embedder->stop);) {
        struct batch batch;
        next_batch(embedder, &batch);
        int width = 0;
        if (!batch.n) {
            json_decref(batch.texts);
            forget_gone(embedder);
            return;
        }
        float *vectors = ask(embedder, batch.texts, BATCH_MS, &width, NULL);
        more = vectors && keep_batch(embedder, &batch, vectors, width);
        if (vectors && !more) { /* a failure too, so that what cannot be kept is not asked for each second */
            struct cp_error error;
            cp_fail(&error, CP_ERR_IO, STAGE,
                    "Vectors of %d components could not be kept; check the disk and the model.", width);
            note(embedder, false, &error);
        }
        free(vectors);
    }
}

/* --- questions --- */

/* What is remembered of the question, copied; false when it is not. */
static bool recall(struct cp_embedder *embedder, const char *question, struct remembered *ret_known)
{
    bool known = false;
    pthread_mutex_lock(&embedder->lock);
    for (int i = 0; i < REMEMBERED && !known; i++) {
        struct remembered *one = &embedder->remembered[i];
        known = one->n && !strcmp(one->question, question);
        if (!known)
            continue;
        one->used = ++embedder->uses;
        *ret_known = *one;
    }
    pthread_mutex_unlock(&embedder->lock);
    return known;
}

static void remember(struct cp_embedder *embedder, const struct remembered *fresh)
{
    pthread_mutex_lock(&embedder->lock);
    struct remembered *oldest = embedder->remembered;
    for (int i = 1; i < REMEMBERED; i++)
        if (embedder->remembered[i].used < oldest->used)
            oldest = &embedder->remembered[i];
    *oldest = *fresh;
    oldest->used = ++embedder->uses;
    pthread_mutex_unlock(&embedder->lock);
}

static bool vector_of(struct cp_embedder *embedder, const char *question, struct remembered *ret_vector)
{
    char text[QUESTION_BYTES];
    int width = 0;
    snprintf(text, sizeof text, "%s", question);
    if (recall(embedder, text, ret_vector))
        return true;
    json_t *texts = json_array(), *asked = json_stringn_nocheck(text, strlen(text));
    json_array_append_new(texts, asked);
    float *vector = ask(embedder, texts, embedder->answers->config.embed_ms, &width, NULL);
    bool good = vector && cp_vector_pack(vector, width, ret_vector->packed, &ret_vector->scale);
    free(vector);
    if (!good)
        return false;
    snprintf(ret_vector->question, sizeof ret_vector->question, "%s", text);
    ret_vector->n = width;
    remember(embedder, ret_vector);
    return true;
}

int cp_embedder_nearest(struct cp_embedder *embedder, const char *question, const char *collection,
                        struct cp_near *ret_near, int most)
{
    struct remembered vector;
    if (!cp_vectors_count(embedder->vectors) || !vector_of(embedder, question, &vector))
        return 0;
    return cp_vectors_nearest(embedder->vectors, vector.packed, vector.scale, vector.n,
                              *collection ? scope_of(collection) : 0, ret_near, most);
}

void cp_embedder_stats(struct cp_embedder *embedder, int64_t *ret_passages, uint64_t *ret_failures)
{
    *ret_passages = cp_vectors_count(embedder->vectors);
    pthread_mutex_lock(&embedder->lock);
    *ret_failures = embedder->failures;
    pthread_mutex_unlock(&embedder->lock);
}

/* --- opening --- */

/* Vectors of another model say nothing of this one's. */
static int take_over(struct cp_embedder *embedder, sqlite3 *db)
{
    sqlite3_stmt *row = NULL, *set = NULL;
    bool same = false;
    if (sqlite3_prepare_v2(db, "SELECT name FROM vector_model", -1, &row, NULL))
        return -1;
    if (sqlite3_step(row) == SQLITE_ROW)
        same = !strcmp((const char *)sqlite3_column_text(row, 0), embedder->model);
    sqlite3_finalize(row);
    if (same)
        return 0;
    int result = sqlite3_exec(db, "DELETE FROM vectors; DELETE FROM vector_model;", NULL, NULL, NULL) ||
                 sqlite3_prepare_v2(db, "INSERT INTO vector_model VALUES(?1)", -1, &set, NULL);
    if (!result) {
        sqlite3_bind_text(set, 1, embedder->model, -1, SQLITE_STATIC);
        result = sqlite3_step(set) != SQLITE_DONE;
    }
    sqlite3_finalize(set);
    return result ? -1 : 0;
}

static int load(struct cp_embedder *embedder, sqlite3 *db)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(
            db,
            "SELECT v.passage, d.collection, v.scale, v.data FROM vectors v JOIN passages p ON p.id ="
            " v.passage JOIN documents d ON d.number = p.document",
            -1, &row, NULL))
        return -1;
    while (sqlite3_step(row) == SQLITE_ROW)
        cp_vectors_put(embedder->vectors, sqlite3_column_int64(row, 0),
                       scope_of((const char *)sqlite3_column_text(row, 1)), sqlite3_column_blob(row, 3),
                       (float)sqlite3_column_double(row, 2), sqlite3_column_bytes(row, 3));
    sqlite3_finalize(row);
    return 0;
}

static int read_config(struct cp_embedder *embedder, const struct cp_answers_config *config,
                       struct cp_error *error)
{
    if (!*config->embed_model)
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "answers.embed_model: name the model that makes the embeddings");
    snprintf(embedder->model, sizeof embedder->model, "%s", config->embed_model);
    return cp_endpoint_set_up(&embedder->endpoint, "answers.embed_", config->embed_url, "/embeddings",
                              config->embed_key, error);
}

int cp_embedder_open(struct cp_answers *answers, struct cp_embedder **ret_embedder, struct cp_error *error)
{
    *ret_embedder = NULL;
    if (!*answers->config.embed_url)
        return 0;
    struct cp_embedder *embedder = calloc(1, sizeof *embedder);
    if (!embedder)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    embedder->answers = answers;
    pthread_mutex_init(&embedder->lock, NULL);
    embedder->vectors = cp_vectors_create(answers->config.embed_most);
    embedder->remembered = calloc(REMEMBERED, sizeof *embedder->remembered);
    int result = embedder->vectors && embedder->remembered
                     ? read_config(embedder, &answers->config, error)
                     : cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    if (!result)
        result = cp_http_create(&(struct cp_http_config){.max_idle = 4}, &embedder->http, error);
    if (!result && (take_over(embedder, answers->writer.db) || load(embedder, answers->writer.db)))
        result = cp_answers_fail(answers, answers->writer.db, error);
    if (!result) {
        embedder->runner.tick = embed_passages;
        embedder->runner.tick_s = TICK_S;
        embedder->runner.user = embedder;
        result = cp_runner_start(&embedder->runner, "embed", 1, error);
    }
    if (result) {
        cp_embedder_close(embedder);
        return result;
    }
    *ret_embedder = embedder;
    return 0;
}

void cp_embedder_close(struct cp_embedder *embedder)
{
    if (!embedder)
        return;
    atomic_store(&embedder->stop, true);
    cp_runner_destroy(&embedder->runner);
    cp_http_destroy(embedder->http);
    cp_vectors_destroy(embedder->vectors);
    pthread_mutex_destroy(&embedder->lock);
    explicit_bzero(embedder->endpoint.authorization, sizeof embedder->endpoint.authorization);
    free(embedder->remembered);
    free(embedder);
}

int cp_answers_try_embeddings(const struct cp_answers_config *config, int *ret_width, struct cp_error *error)
{
    struct cp_embedder embedder = {.lock = PTHREAD_MUTEX_INITIALIZER};
    *ret_width = 0;
    if (!*config->embed_url)
        return 0;
    int result = read_config(&embedder, config, error);
    if (!result)
        result = cp_http_create(&(struct cp_http_config){.max_idle = 1}, &embedder.http, error);
    float *vector =
        result ? NULL
               : ask(&embedder, json_pack("[s]", "How long does delivery take?"), TRY_MS, ret_width, error);
    if (!result && !vector)
        result = (int)error->code;
    free(vector);
    cp_http_destroy(embedder.http);
    return result;
}
