#include "speech/cache.h"

#include "base/clock.h"
#include "speech/reading/lexicon.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, MAX_ENTRIES = 8192 };

struct entry {
    struct entry *next;          /* in its bucket */
    struct entry *newer, *older; /* by last use */
    uint8_t name[CP_SPEECH_KEY_BYTES];
    struct cp_utterance *utterance;
    int64_t bytes, expires_ns; /* monotonic */
};

struct cp_speech_cache {
    int64_t max_bytes, keep_ns;
    pthread_mutex_t lock; /* guards all below; held for pointers only, never for copying sound */
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    int64_t bytes;
    int n;
    uint64_t hits, misses;
};

/* Every part with its length in front, so that no two lists of parts give the same bytes. */
static void add_part(EVP_MD_CTX *hash, const void *part, size_t length)
{
    uint64_t size = length;
    EVP_DigestUpdate(hash, &size, sizeof size);
    EVP_DigestUpdate(hash, part, length);
}

static void add_text(EVP_MD_CTX *hash, const char *text)
{
    add_part(hash, text ? text : "", text ? strlen(text) : 0);
}

void cp_speech_request_key(const struct cp_speech_request *request, uint8_t ret_key[CP_SPEECH_KEY_BYTES])
{
    const double factors[] = {request->rate == 0 ? 1 : request->rate,
                              request->pitch == 0 ? 1 : request->pitch,
                              request->volume == 0 ? 1 : request->volume};
    const uint64_t lexicon = cp_lexicon_hash(request->lexicon);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
        abort(); /* SHA-256 is part of every OpenSSL */
    add_text(hash, CP_VERSION);
    add_text(hash, request->text ? "text" : "ssml");
    add_text(hash, request->text ? request->text : request->ssml);
    add_text(hash, request->language);
    add_text(hash, request->style);
    add_part(hash, &lexicon, sizeof lexicon);
    add_part(hash, factors, sizeof factors);
    EVP_DigestFinal_ex(hash, ret_key, NULL);
    EVP_MD_CTX_free(hash);
}

static void name_of(const uint8_t key[CP_SPEECH_KEY_BYTES], const char *voice, int sentence,
                    uint8_t ret_name[CP_SPEECH_KEY_BYTES])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
        abort();
    add_part(hash, key, CP_SPEECH_KEY_BYTES);
    add_text(hash, voice);
    add_part(hash, &sentence, sizeof sentence);
    EVP_DigestFinal_ex(hash, ret_name, NULL);
    EVP_MD_CTX_free(hash);
}

struct cp_speech_cache *cp_speech_cache_create(int64_t max_bytes, int64_t keep_s)
{
    struct cp_speech_cache *cache = max_bytes > 0 ? calloc(1, sizeof *cache) : NULL;
    if (!cache)
        return NULL;
    cache->max_bytes = max_bytes;
    cache->keep_ns = keep_s * CP_NS_PER_S;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

/* --- under the lock --- */

static struct entry **find(struct cp_speech_cache *cache, const uint8_t name[CP_SPEECH_KEY_BYTES])
{
    struct entry **at = &cache->buckets[(name[0] | name[1] << 8) % BUCKETS];
    while (*at && memcmp((*at)->name, name, CP_SPEECH_KEY_BYTES))
        at = &(*at)->next;
    return at;
}

static void unlink_use(struct cp_speech_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct cp_speech_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct cp_speech_cache *cache, struct entry *entry)
{
    *find(cache, entry->name) = entry->next;
    unlink_use(cache, entry);
    cache->bytes -= entry->bytes;
    cache->n--;
    cp_ref_drop(entry->utterance);
    free(entry);
}

/* --- any thread --- */

void cp_speech_cache_destroy(struct cp_speech_cache *cache)
{
    if (!cache)
        return;
    while (cache->newest)
        drop(cache, cache->newest);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct cp_utterance *copy(const struct cp_utterance *from)
{
    struct cp_utterance *to = cp_utterance_create(from->n_samples, from->n_marks, from->text);
    if (!to)
        return NULL;
    memcpy(to->pcm, from->pcm, (size_t)from->n_samples * sizeof *to->pcm);
    memcpy(to->marks, from->marks, from->n_marks * sizeof *to->marks);
    memcpy(to->prosody, from->prosody, from->n_prosody * sizeof *to->prosody);
    memcpy(to->voice, from->voice, sizeof to->voice);
    memcpy(to->key, from->key, sizeof to->key);
    to->n_marks = from->n_marks;
    to->sentence = from->sentence;
    to->text_start = from->text_start;
    to->text_end = from->text_end;
    to->cached = true;
    to->made_ns = cp_clock_now_ns();
    return to;
}

struct cp_utterance *cp_speech_cache_get(struct cp_speech_cache *cache,
                                         const uint8_t key[CP_SPEECH_KEY_BYTES], const char *voice,
                                         int sentence)
{
    uint8_t name[CP_SPEECH_KEY_BYTES];
    if (!cache)
        return NULL;
    name_of(key, voice, sentence, name);
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = *find(cache, name);
    if (entry && entry->expires_ns <= cp_clock_now_ns()) {
        drop(cache, entry);
        entry = NULL;
    }
    struct cp_utterance *kept = entry ? cp_ref_take(entry->utterance) : NULL;
    if (entry) {
        unlink_use(cache, entry);
        link_newest(cache, entry);
    }
    cache->hits += entry != NULL;
    cache->misses += entry == NULL;
    pthread_mutex_unlock(&cache->lock);
    struct cp_utterance *found = kept ? copy(kept) : NULL;
    cp_ref_drop(kept);
    return found;
}

void cp_speech_cache_put(struct cp_speech_cache *cache, struct cp_utterance *utterance)
{
    int64_t bytes = (int64_t)(sizeof(struct entry) + sizeof *utterance + strlen(utterance->text) +
                              (size_t)utterance->n_samples * sizeof *utterance->pcm +
                              utterance->n_marks * sizeof *utterance->marks +
                              utterance->n_prosody * sizeof *utterance->prosody);
    struct entry *entry = cache && bytes <= cache->max_bytes ? calloc(1, sizeof *entry) : NULL;
    if (!entry)
        return;
    name_of(utterance->key, utterance->voice, utterance->sentence, entry->name);
    entry->utterance = cp_ref_take(utterance);
    entry->bytes = bytes;
    entry->expires_ns = cp_clock_now_ns() + cache->keep_ns;
    pthread_mutex_lock(&cache->lock);
    struct entry *same = *find(cache, entry->name);
    if (same)
        drop(cache, same);
    while (cache->oldest && (cache->bytes + bytes > cache->max_bytes || cache->n == MAX_ENTRIES))
        drop(cache, cache->oldest);
    *find(cache, entry->name) = entry;
    link_newest(cache, entry);
    cache->bytes += bytes;
    cache->n++;
    pthread_mutex_unlock(&cache->lock);
}

void cp_speech_cache_expire(struct cp_speech_cache *cache, const uint8_t key[CP_SPEECH_KEY_BYTES],
                            int64_t expires_ns)
{
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    for (struct entry *entry = cache->newest, *older; entry; entry = older) {
        older = entry->older;
        if (memcmp(entry->utterance->key, key, CP_SPEECH_KEY_BYTES))
            continue;
        entry->expires_ns = expires_ns;
        if (!expires_ns)
            drop(cache, entry);
    }
    pthread_mutex_unlock(&cache->lock);
}

void cp_speech_cache_sweep(struct cp_speech_cache *cache)
{
    int64_t now_ns = cp_clock_now_ns();
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    for (struct entry *entry = cache->newest, *older; entry; entry = older) {
        older = entry->older;
        if (entry->expires_ns <= now_ns)
            drop(cache, entry);
    }
    pthread_mutex_unlock(&cache->lock);
}

void cp_speech_cache_count(struct cp_speech_cache *cache, struct cp_speech_stats *stats)
{
    if (!cache)
        return;
    pthread_mutex_lock(&cache->lock);
    stats->cache_hits = cache->hits;
    stats->cache_misses = cache->misses;
    stats->cache_bytes = cache->bytes;
    stats->cache_entries = cache->n;
    pthread_mutex_unlock(&cache->lock);
}
