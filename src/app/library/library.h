/*
 * The library: finished speech becomes stored voice files. A voice file is a record "speech/<id>" and two
 * objects, speech/<id>.ogg (or .wav without libopus) and speech/<id>.jsonl with its marks, all with one
 * expiry.
 *
 * Two threads do what may wait for a disk or an object store: "library" keeps, "library.read" fetches, so
 * that neither the show, the voices nor the gateway's threads wait.
 */
#ifndef CP_APP_LIBRARY_H
#define CP_APP_LIBRARY_H

#include "app/app.h"
#include "app/library/sound_file.h"
#include "app/signer.h"
#include "base/runner.h"
#include "base/sigv4.h"

#define CP_LIBRARY_RECORDS "speech"
#define CP_LIBRARY_OBJECTS "speech/"
#define CP_SPEECH_ID_BYTES 48

struct cp_library {
    struct cp_app *app;
    struct cp_runner keeper, reader;
    struct cp_signer signer;
    int64_t last_orphan_ns; /* thread: library */
    struct cp_metric *kept, *refused, *failed, *reused, *bytes, *sound_seconds, *signed_urls, *orphans;
};

/* speech/<id>.<ending> */
void cp_library_object_key(const char *id, const char *ending, char key[80]);
/* What the record says its sound is kept as. */
enum cp_sound_format cp_library_kept_format(const json_t *speech);

/* --- orphans.c --- */

struct cp_orphans {
    int64_t objects, records; /* found */
    int64_t removed;
};
/* Looks for objects without a record and records without their objects, older than grace_s, and with `remove`
 * removes them. told (may be NULL) hears of each. Blocks. */
int cp_library_find_orphans(struct cp_store *store, int64_t grace_s, bool remove,
                            void (*told)(void *user, const char *what, const char *key), void *user,
                            struct cp_orphans *ret_orphans, struct cp_error *error);

#endif
