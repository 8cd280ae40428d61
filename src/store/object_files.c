/*
 * Objects as files: the object "a/b.ogg" is the file objects/a/b.ogg, with its metadata in a trailer of 128
 * bytes behind the contents. So one rename replaces contents and metadata at once: a crash leaves the old or
 * the new object, never a mixture, and there is no second place that could disagree. (Players and
 * decoders ignore the trailer, so the files stay useful by themselves.)
 *
 * A write goes to incoming/, is synced, renamed into place, and the directory synced. The writer holds a
 * flock on its file in incoming/; one that nobody holds was left by a crash, and the sweep removes it.
 *
 * The lock of the engine (within the process a mutex, between processes a flock on objects.lock) is held only
 * for renames and unlinks, so that a sweep never removes an object that has just been replaced.
 */
#include "store/store_provider.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAILER_BYTES = 128, PATH_BYTES = 1024, ORPHAN_AGE_S = 60, MAX_DEPTH = CP_STORE_MAX_KEY_BYTES };

#define MAGIC "CPOBJ1\n"

/* The trailer as it is in the file: text, padded with NUL, so that `tail -c128` shows it. */
#define TRAILER_FORMAT MAGIC "%63s\n%" SCNd64 "\n%" SCNd64 "\n"

struct engine {
    pthread_mutex_t lock;
    int lock_file;         /* objects.lock */
    int objects, incoming; /* directories */
    atomic_uint next_name;
    char path[CP_OPTION_TEXT_BYTES + 16];
};

static int fail(struct engine *engine, const char *doing, const char *key, struct cp_error *error)
{
    int number = errno;
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return cp_fail(
            error, CP_ERR_IO, "store",
            "%s %s: the disk of %s is full (%s); free some space, the store then goes on by itself", doing,
            key, engine->path, strerror(number));
    case EROFS:
    case EACCES:
    case EPERM:
        return cp_fail(
            error, CP_ERR_IO, "store",
            "%s %s: %s cannot be written (%s); check its owner and mode and that the file system is "
            "mounted writable",
            doing, key, engine->path, strerror(number));
    case EMFILE:
    case ENFILE:
        return cp_fail(error, CP_ERR_BUSY, "store", "%s %s: too many open files; raise the limit (ulimit -n)",
                       doing, key);
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
        return cp_fail(
            error, CP_ERR_INVALID, "store",
            "%s %s: a part of this key is both an object and a folder of objects; choose another key", doing,
            key);
    default:
        return cp_fail(error, CP_ERR_IO, "store", "%s %s in %s: %s", doing, key, engine->path,
                       strerror(number));
    }
}

static void lock(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    while (flock(engine->lock_file, LOCK_EX) && errno == EINTR) {
    }
}

static void unlock(struct engine *engine)
{
    flock(engine->lock_file, LOCK_UN);
    pthread_mutex_unlock(&engine->lock);
}

static void files_close(void *object)
{
    struct engine *engine = object;
    if (!engine)
        return;
    if (engine->objects >= 0)
        close(engine->objects);
    if (engine->incoming >= 0)
        close(engine->incoming);
    if (engine->lock_file >= 0)
        close(engine->lock_file);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

static int open_directory(int at, const char *name)
{
    if (mkdirat(at, name, 0700) && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int files_open(const struct cp_store_config *config, void **ret_engine, struct cp_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    pthread_mutex_init(&engine->lock, NULL);
    engine->objects = engine->incoming = engine->lock_file = -1;
    snprintf(engine->path, sizeof engine->path, "%s/objects", config->directory);
    int result = 0, directory = open(config->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || (engine->objects = open_directory(directory, "objects")) < 0 ||
        (engine->incoming = open_directory(directory, "incoming")) < 0 ||
        (engine->lock_file = openat(directory, "objects.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0 ||
        fsync(directory))
        result = fail(engine, "open", "the objects", error);
    if (directory >= 0)
        close(directory);
    if (result)
        files_close(engine);
    else
        *ret_engine = engine;
    return result;
}

static int write_all(int file, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        ssize_t written = write(file, at, length > SSIZE_MAX ? SSIZE_MAX : length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Makes the folders above objects/<key> and syncs each folder that got a new entry. */
static int make_folders(struct engine *engine, const char *key)
{
    char path[CP_STORE_MAX_KEY_BYTES + 1];
    int parent = dup(engine->objects), result = parent < 0 ? -1 : 0;
    snprintf(path, sizeof path, "%s", key);
    for (char *name = path, *slash; !result && (slash = strchr(name, '/')); name = slash + 1) {
        *slash = 0;
        bool made = !mkdirat(parent, name, 0700);
        if ((!made && errno != EEXIST) || (made && fsync(parent))) {
            result = -1;
            break;
        }
        int next = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        close(parent);
        parent = next;
        result = next < 0 ? -1 : 0;
    }
    int number = errno;
    if (parent >= 0)
        close(parent);
    errno = number;
    return result;
}

static int sync_folder_of(struct engine *engine, const char *key)
{
    char path[CP_STORE_MAX_KEY_BYTES + 1];
    snprintf(path, sizeof path, "%s", key);
    char *slash = strrchr(path, '/');
    if (!slash)
        return fsync(engine->objects);
    *slash = 0;
    int folder = openat(engine->objects, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? 0 : -1; /* removed since, with the object */
    int result = fsync(folder), number = errno;
    close(folder);
    errno = number;
    return result;
}

static int move_into_place(struct engine *engine, const char *name, const char *key)
{
    lock(engine); /* so that no delete removes the folders between making and using them */
    int result = make_folders(engine, key);
    if (!result)
        result = renameat(engine->incoming, name, engine->objects, key);
    int number = errno;
    unlock(engine);
    errno = number;
    return result ? result : sync_folder_of(engine, key);
}

static int files_put(void *object, const char *key, const char *content_type, const void *bytes,
                     size_t length, int64_t expires_wall_ns, struct cp_error *error)
{
    struct engine *engine = object;
    char name[64], trailer[TRAILER_BYTES] = "";
    int result = 0;
    /* Two containers on one volume may have the same process id: the time tells them apart. */
    snprintf(name, sizeof name, "%d-%" PRIx64 "-%u", (int)getpid(), (uint64_t)cp_clock_wall_ns(),
             atomic_fetch_add(&engine->next_name, 1));
    snprintf(trailer, sizeof trailer, MAGIC "%s\n%" PRId64 "\n%" PRId64 "\n", content_type, (int64_t)length,
             expires_wall_ns);
    int file = openat(engine->incoming, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return fail(engine, "put", key, error);
    if (flock(file, LOCK_EX | LOCK_NB) || write_all(file, bytes, length) ||
        write_all(file, trailer, sizeof trailer) || fsync(file) || move_into_place(engine, name, key)) {
        result = fail(engine, "put", key, error);
        unlinkat(engine->incoming, name, 0);
    }
    close(file);
    return result;
}

/* Opens objects/<key> and reads its trailer. Returns the file, or -1 with errno; EBADMSG when damaged. */
static int open_object(struct engine *engine, const char *key, struct cp_object_info *ret_info)
{
    char trailer[TRAILER_BYTES + 1] = "", type[64];
    struct stat status;
    int64_t length, expires;
    int file = openat(engine->objects, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), number = EBADMSG;
    if (file < 0)
        return -1;
    if (fstat(file, &status)) {
        number = errno;
    } else if (!S_ISREG(status.st_mode)) {
        number = ENOENT; /* a folder of other objects */
    } else if (status.st_size >= TRAILER_BYTES &&
               pread(file, trailer, TRAILER_BYTES, status.st_size - TRAILER_BYTES) == TRAILER_BYTES &&
               sscanf(trailer, TRAILER_FORMAT, type, &length, &expires) == 3 &&
               length == status.st_size - TRAILER_BYTES) {
        *ret_info = (struct cp_object_info){
            .length_bytes = length,
            .modified_wall_ns = status.st_mtim.tv_sec * CP_NS_PER_S + status.st_mtim.tv_nsec,
            .expires_wall_ns = expires,
        };
        snprintf(ret_info->key, sizeof ret_info->key, "%s", key);
        snprintf(ret_info->content_type, sizeof ret_info->content_type, "%s", type);
        return file;
    }
    close(file);
    errno = number;
    return -1;
}

static bool expired(const struct cp_object_info *info, int64_t now_wall_ns)
{
    return info->expires_wall_ns && info->expires_wall_ns <= now_wall_ns;
}

/* The open file of a live object, or a negative error code. */
static int open_live(struct engine *engine, const char *key, int64_t now_wall_ns,
                     struct cp_object_info *ret_info, struct cp_error *error)
{
    int file = open_object(engine, key, ret_info);
    if (file >= 0 && !expired(ret_info, now_wall_ns))
        return file;
    if (file >= 0)
        close(file);
    if (file >= 0 || errno == ENOENT || errno == ENOTDIR)
        return cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no object %s", key);
    if (errno == EBADMSG)
        return cp_fail(error, CP_ERR_IO, "store",
                       "the file of object %s in %s is damaged; put the object again or delete it", key,
                       engine->path);
    return fail(engine, "read", key, error);
}

static int files_info(void *object, const char *key, int64_t now_wall_ns, struct cp_object_info *ret_info,
                      struct cp_error *error)
{
    struct cp_object_info info;
    int file = open_live(object, key, now_wall_ns, &info, error);
    if (file < 0)
        return file;
    close(file);
    *ret_info = info;
    return 0;
}

static int files_get(void *object, const char *key, int64_t offset, int64_t length, int64_t now_wall_ns,
                     struct cp_buffer *out, struct cp_error *error)
{
    struct cp_object_info info;
    int result = 0, file = open_live(object, key, now_wall_ns, &info, error);
    if (file < 0)
        return file;
    offset = offset > info.length_bytes ? info.length_bytes : offset;
    if (length < 0 || length > info.length_bytes - offset)
        length = info.length_bytes - offset;
    uint8_t *to = length ? cp_buffer_reserve(out, (size_t)length) : NULL;
    if (length && !to)
        result = cp_fail(error, CP_ERR_LIMIT, "store",
                         "object %s does not fit the reader's buffer of %zu bytes", key, out->max_bytes);
    for (int64_t done = 0; !result && done < length;) {
        ssize_t n = pread(file, to + done, (size_t)(length - done), offset + done);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            errno = n ? errno : EIO;
            result = fail(object, "read", key, error);
        }
        done += n > 0 ? n : 0;
    }
    if (!result)
        out->length += (size_t)length;
    close(file);
    return result;
}

/* --- walking --- */

struct walk {
    struct engine *engine;
    /* Called with the key of each file in byte order of keys; false ends the walk. */
    bool (*visit)(struct walk *walk, const char *key);
    const char *prefix, *after;
    int64_t now_wall_ns;
    struct cp_object_info *infos;
    int n, limit;
    int64_t removed;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a folder, sorted; folders end in "/", so that keys come in byte order. NULL on failure. */
static char **read_folder(int parent, const char *path, size_t *ret_n)
{
    int folder = openat(parent, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *stream = folder < 0 ? NULL : fdopendir(folder);
    char **names = calloc(16, sizeof *names);
    size_t n = 0, capacity = 16;
    if (!stream && folder >= 0)
        close(folder);
    for (struct dirent *entry; stream && names && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.')
            continue;
        struct stat status;
        bool is_folder = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN && !fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW))
            is_folder = S_ISDIR(status.st_mode);
        if (n == capacity) {
            char **more = realloc(names, 2 * capacity * sizeof *names);
            if (!more)
                break;
            names = more;
            capacity *= 2;
        }
        if (asprintf(&names[n], "%s%s", entry->d_name, is_folder ? "/" : "") < 0)
            break;
        n++;
    }
    if (stream)
        closedir(stream);
    if (names)
        qsort(names, n, sizeof *names, compare_names);
    *ret_n = n;
    return names;
}

/* Walks the folder `path` ("" or ending in "/"). False when the walk has ended. */
static bool walk_folder(struct walk *walk, const char *path, int depth)
{
    size_t n = 0, prefix_length = strlen(walk->prefix);
    char **names = depth < MAX_DEPTH ? read_folder(walk->engine->objects, path, &n) : NULL;
    bool more = true;
    for (size_t i = 0; i < n; i++) {
        char key[PATH_BYTES];
        size_t length = (size_t)snprintf(key, sizeof key, "%s%s", path, names[i]);
        bool is_folder = length && key[length - 1] == '/';
        size_t common = is_folder && length < prefix_length ? length : prefix_length;
        free(names[i]);
        if (!more || length > CP_STORE_MAX_KEY_BYTES + 1 || strncmp(key, walk->prefix, common))
            continue;
        if (is_folder) {
            /* All below lies before the cursor when the folder does and is no part of it. */
            if (strcmp(key, walk->after) >= 0 || !strncmp(key, walk->after, length))
                more = walk_folder(walk, key, depth + 1);
        } else if (strcmp(key, walk->after) > 0) {
            more = walk->visit(walk, key);
        }
    }
    free(names);
    return more;
}

static bool list_one(struct walk *walk, const char *key)
{
    int file = open_object(walk->engine, key, &walk->infos[walk->n]);
    if (file < 0)
        return true; /* deleted since, or damaged: not listed */
    close(file);
    walk->n += !expired(&walk->infos[walk->n], walk->now_wall_ns);
    return walk->n < walk->limit;
}

static int files_list(void *object, const char *prefix, const char *after, int limit, int64_t now_wall_ns,
                      struct cp_object_info *infos, int *ret_n, struct cp_error *error)
{
    struct walk walk = {.engine = object,
                        .visit = list_one,
                        .prefix = prefix,
                        .after = after ? after : "",
                        .now_wall_ns = now_wall_ns,
                        .infos = infos,
                        .limit = limit};
    walk_folder(&walk, "", 0);
    *ret_n = walk.n;
    return 0;
}

/* Unlinks the object and the folders that became empty. thread: holder of the lock */
static int unlink_object(struct engine *engine, const char *key)
{
    char path[CP_STORE_MAX_KEY_BYTES + 1];
    if (unlinkat(engine->objects, key, 0))
        return -1;
    snprintf(path, sizeof path, "%s", key);
    for (char *slash; (slash = strrchr(path, '/'));) {
        *slash = 0;
        if (unlinkat(engine->objects, path, AT_REMOVEDIR))
            break;
    }
    return 0;
}

static int files_remove(void *object, const char *key, int64_t now_wall_ns, struct cp_error *error)
{
    struct engine *engine = object;
    struct cp_object_info info;
    int result = 0;
    lock(engine);
    int file = open_object(engine, key, &info);
    if (file >= 0)
        close(file);
    else if (errno != EBADMSG) /* a damaged one may be deleted */
        result = -1;
    bool is_there = !result && (file < 0 || !expired(&info, now_wall_ns));
    if (!result)
        result = unlink_object(engine, key);
    int number = errno;
    unlock(engine);
    errno = number;
    if (result && errno != ENOENT && errno != ENOTDIR)
        return fail(engine, "delete", key, error);
    if (result || !is_there)
        return cp_fail(error, CP_ERR_NOT_FOUND, "store", "there is no object %s", key);
    return sync_folder_of(engine, key) ? fail(engine, "delete", key, error) : 0;
}

static bool sweep_one(struct walk *walk, const char *key)
{
    struct cp_object_info info;
    int file = open_object(walk->engine, key, &info);
    if (file < 0)
        return true;
    close(file);
    if (!expired(&info, walk->now_wall_ns))
        return true;
    lock(walk->engine); /* it may have been replaced since: look again before removing it */
    file = open_object(walk->engine, key, &info);
    if (file >= 0) {
        close(file);
        if (expired(&info, walk->now_wall_ns) && !unlink_object(walk->engine, key))
            walk->removed++;
    }
    unlock(walk->engine);
    return true;
}

/* Removes files in incoming/ that a crash left: old enough, and nobody holds their lock. */
static void sweep_orphans(struct engine *engine, int64_t now_wall_ns)
{
    size_t n = 0;
    char **names = read_folder(engine->incoming, "", &n);
    for (size_t i = 0; i < n; i++) {
        struct stat status;
        int file = openat(engine->incoming, names[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file >= 0) {
            if (!fstat(file, &status) && status.st_mtim.tv_sec + ORPHAN_AGE_S < now_wall_ns / CP_NS_PER_S &&
                !flock(file, LOCK_EX | LOCK_NB))
                unlinkat(engine->incoming, names[i], 0);
            close(file);
        }
        free(names[i]);
    }
    free(names);
}

static int files_sweep(void *object, int64_t now_wall_ns, int64_t *ret_removed, struct cp_error *error)
{
    struct walk walk = {
        .engine = object, .visit = sweep_one, .prefix = "", .after = "", .now_wall_ns = now_wall_ns};
    walk_folder(&walk, "", 0);
    sweep_orphans(object, now_wall_ns);
    *ret_removed = walk.removed;
    return 0;
}

const struct cp_object_engine cp_object_engine_files = {
    .name = "files",
    .summary = "one file an object, below the data directory",
    .keys_are_paths = true,
    .open = files_open,
    .put = files_put,
    .info = files_info,
    .get = files_get,
    .list = files_list,
    .remove = files_remove,
    .sweep = files_sweep,
    .close = files_close,
};
