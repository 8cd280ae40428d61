#include "observe/observe.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SERIES = 4096,
    N_SLOTS = 2 * MAX_SERIES, /* of the hash table: a power of two, never more than half full */
    MAX_COLLECTORS = 64,
    N_BOUNDS = 55,
};

#define FIRST_BOUND_S 100e-6
#define LAST_BOUND_S  30.0

enum kind { KIND_VOID, KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const char *const KIND_NAME[] = {"", "counter", "gauge", "histogram"};

/* All series of one name; the text format wants them together below one HELP and TYPE. */
struct family {
    struct family *next;
    char *name, *help;
    enum kind kind;
    struct cp_metric *first, *last;
};

struct histogram {
    const struct cp_observe *observe; /* for the bounds */
    _Atomic int64_t sum_ns;
    _Atomic uint64_t counts[N_BOUNDS + 1]; /* the last one is beyond all bounds */
};

struct cp_metric {
    enum kind kind;
    struct family *family;
    struct cp_metric *next; /* in the family */
    char *labels;
    _Atomic uint64_t bits; /* of a double: counters and gauges */
    struct histogram *histogram;
};

struct cp_observe {
    pthread_mutex_t lock; /* guards all below but the atomics within metrics */
    struct family *first, *last;
    struct cp_metric *slots[N_SLOTS];
    size_t n_series;
    bool complained;
    struct cp_metric nowhere;
    struct {
        void (*collect)(void *user);
        void *user;
    } collectors[MAX_COLLECTORS];
    size_t n_collectors;
    int64_t bounds_ns[N_BOUNDS];
};

struct cp_observe *cp_observe_create(void)
{
    struct cp_observe *observe = calloc(1, sizeof *observe);
    if (!observe)
        return NULL;
    pthread_mutex_init(&observe->lock, NULL);
    for (int i = 0; i < N_BOUNDS; i++) {
        double bound_s = FIRST_BOUND_S * pow(LAST_BOUND_S / FIRST_BOUND_S, (double)i / (N_BOUNDS - 1));
        /* Rounded to whole microseconds, so that the text shows short numbers that are true. */
        observe->bounds_ns[i] = llround(bound_s * 1e6) * 1000;
    }
    return observe;
}

static void free_metric(struct cp_metric *metric)
{
    if (!metric)
        return;
    free(metric->histogram);
    free(metric->labels);
    free(metric);
}

static void free_family(struct family *family)
{
    if (!family)
        return;
    free(family->name);
    free(family->help);
    free(family);
}

void cp_observe_destroy(struct cp_observe *observe)
{
    if (!observe)
        return;
    for (size_t i = 0; i < N_SLOTS; i++)
        free_metric(observe->slots[i]);
    for (struct family *family = observe->first, *next; family; family = next) {
        next = family->next;
        free_family(family);
    }
    pthread_mutex_destroy(&observe->lock);
    free(observe);
}

/* FNV-1a, 32 bits. */
static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* The slot of name{labels}: the metric that is there, or the empty place for it. */
static struct cp_metric **find_slot(struct cp_observe *observe, const char *name, const char *labels)
{
    uint32_t at = hash_text(hash_text(2166136261u, name) * 16777619u, labels);
    for (;; at++) {
        struct cp_metric **slot = &observe->slots[at % N_SLOTS];
        if (!*slot || (!strcmp((*slot)->labels, labels) && !strcmp((*slot)->family->name, name)))
            return slot;
    }
}

static struct family *find_family(struct cp_observe *observe, const char *name, enum kind kind,
                                  const char *help)
{
    for (struct family *family = observe->first; family; family = family->next)
        if (!strcmp(family->name, name))
            return family;
    struct family *family = calloc(1, sizeof *family);
    if (!family)
        return NULL;
    family->name = strdup(name);
    family->help = strdup(help ? help : "");
    family->kind = kind;
    if (!family->name || !family->help) {
        free_family(family);
        return NULL;
    }
    if (observe->last)
        observe->last->next = family;
    else
        observe->first = family;
    observe->last = family;
    return family;
}

static struct cp_metric *make_metric(struct cp_observe *observe, struct family *family, const char *labels)
{
    struct cp_metric *metric = calloc(1, sizeof *metric);
    if (!metric)
        return NULL;
    metric->kind = family->kind;
    metric->family = family;
    metric->labels = strdup(labels);
    if (family->kind == KIND_HISTOGRAM) {
        metric->histogram = calloc(1, sizeof *metric->histogram);
        if (metric->histogram)
            metric->histogram->observe = observe;
    }
    if (!metric->labels || (family->kind == KIND_HISTOGRAM && !metric->histogram)) {
        free_metric(metric);
        return NULL;
    }
    if (family->last)
        family->last->next = metric;
    else
        family->first = metric;
    family->last = metric;
    return metric;
}

/* A metric name of the text format: [a-zA-Z_:][a-zA-Z0-9_:]* */
static bool is_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' || *c == ':';
        if (!letter && !(*c >= '0' && *c <= '9' && c > name))
            return false;
    }
    return *name;
}

static struct cp_metric *find_or_make(struct cp_observe *observe, enum kind kind, const char *name,
                                      const char *labels, const char *help)
{
    const char *trouble = NULL;
    struct cp_metric *found = NULL;
    labels = labels ? labels : "";
    pthread_mutex_lock(&observe->lock);
    struct cp_metric **slot = find_slot(observe, name, labels);
    if (*slot) {
        if ((*slot)->kind == kind)
            found = *slot;
        else
            trouble = "the name is in use for another kind of metric";
    } else if (!is_name(name)) {
        trouble = "not a metric name";
    } else if (observe->n_series == MAX_SERIES) {
        trouble = "too many series";
    } else {
        struct family *family = find_family(observe, name, kind, help);
        if (family && family->kind != kind)
            trouble = "the name is in use for another kind of metric";
        else if (!family || !(found = make_metric(observe, family, labels)))
            trouble = "out of memory";
        if (found) {
            *slot = found;
            observe->n_series++;
        }
    }
    bool complain = trouble && !observe->complained;
    observe->complained |= complain;
    pthread_mutex_unlock(&observe->lock);
    if (complain)
        cp_log(CP_LOG_WARN, "observe", "metric is not counted", "name=\"%s\" reason=\"%s\" limit=%d", name,
               trouble, MAX_SERIES);
    return found ? found : &observe->nowhere;
}

struct cp_metric *cp_counter(struct cp_observe *observe, const char *name, const char *labels,
                             const char *help)
{
    return find_or_make(observe, KIND_COUNTER, name, labels, help);
}

struct cp_metric *cp_gauge(struct cp_observe *observe, const char *name, const char *labels, const char *help)
{
    return find_or_make(observe, KIND_GAUGE, name, labels, help);
}

struct cp_metric *cp_histogram(struct cp_observe *observe, const char *name, const char *labels,
                               const char *help)
{
    return find_or_make(observe, KIND_HISTOGRAM, name, labels, help);
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void cp_metric_add(struct cp_metric *metric, double value)
{
    if (metric->kind != KIND_GAUGE && (metric->kind != KIND_COUNTER || !(value >= 0)))
        return; /* a counter only grows */
    uint64_t bits = atomic_load_explicit(&metric->bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->bits, &bits, to_bits(from_bits(bits) + value),
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void cp_metric_set(struct cp_metric *metric, double value)
{
    if (metric->kind == KIND_GAUGE || metric->kind == KIND_COUNTER)
        atomic_store_explicit(&metric->bits, to_bits(value), memory_order_relaxed);
}

void cp_metric_observe_ns(struct cp_metric *metric, int64_t duration_ns)
{
    struct histogram *histogram = metric->histogram;
    if (!histogram)
        return;
    duration_ns = duration_ns < 0 ? 0 : duration_ns;
    const int64_t *bounds_ns = histogram->observe->bounds_ns;
    size_t low = 0, high = N_BOUNDS; /* the first bound that is not below the duration */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bounds_ns[middle] < duration_ns)
            low = middle + 1;
        else
            high = middle;
    }
    atomic_fetch_add_explicit(&histogram->counts[low], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, duration_ns, memory_order_relaxed);
}

double cp_metric_value(const struct cp_metric *metric)
{
    return from_bits(atomic_load_explicit(&((struct cp_metric *)metric)->bits, memory_order_relaxed));
}

uint64_t cp_metric_count(const struct cp_metric *metric)
{
    uint64_t count = 0;
    for (int i = 0; metric->histogram && i <= N_BOUNDS; i++)
        count += atomic_load_explicit(&metric->histogram->counts[i], memory_order_relaxed);
    return count;
}

double cp_metric_quantile(const struct cp_metric *metric, double q)
{
    uint64_t count = cp_metric_count(metric);
    if (!count)
        return 0;
    const int64_t *bounds_ns = metric->histogram->observe->bounds_ns;
    double rank = fmin(fmax(q, 0), 1) * (double)count, before = 0;
    for (int i = 0; i < N_BOUNDS; i++) {
        double here = (double)atomic_load_explicit(&metric->histogram->counts[i], memory_order_relaxed);
        if (here > 0 && before + here >= rank) {
            double from = i ? (double)bounds_ns[i - 1] : 0;
            return (from + ((double)bounds_ns[i] - from) * (rank - before) / here) / CP_NS_PER_S;
        }
        before += here;
    }
    return (double)bounds_ns[N_BOUNDS - 1] / CP_NS_PER_S; /* beyond the last bound nothing is known */
}

void cp_observe_on_write(struct cp_observe *observe, void (*collect)(void *user), void *user)
{
    pthread_mutex_lock(&observe->lock);
    bool full = observe->n_collectors == MAX_COLLECTORS;
    if (!full) {
        observe->collectors[observe->n_collectors].collect = collect;
        observe->collectors[observe->n_collectors++].user = user;
    }
    pthread_mutex_unlock(&observe->lock);
    if (full)
        cp_log(CP_LOG_WARN, "observe", "collector is not called", "limit=%d", MAX_COLLECTORS);
}

const char *cp_observe_label(char *text, size_t capacity, const char *key, const char *value)
{
    int head = snprintf(text, capacity, "%s=\"", key);
    if (head < 0 || (size_t)head + 2 > capacity) {
        if (capacity)
            *text = 0; /* no room even for an empty value: no label */
        return text;
    }
    size_t used = (size_t)head;
    for (const char *c = value; *c;) {
        /* A character is copied whole or not at all, so that a cut value stays UTF-8. */
        size_t length = 1;
        while (((unsigned char)*c & 0xc0) == 0xc0 && ((unsigned char)c[length] & 0xc0) == 0x80 && length < 4)
            length++;
        bool escape = *c == '"' || *c == '\\' || *c == '\n';
        if (used + length + escape + 2 > capacity)
            break;
        if (escape)
            text[used++] = '\\';
        memcpy(text + used, *c == '\n' ? "n" : c, length);
        used += length;
        c += length;
    }
    text[used++] = '"';
    text[used] = 0;
    return text;
}

static void write_number(struct cp_buffer *out, double value)
{
    if (isnan(value))
        cp_buffer_text(out, "NaN");
    else if (isinf(value))
        cp_buffer_text(out, value > 0 ? "+Inf" : "-Inf");
    else if (value == floor(value) && fabs(value) < 9007199254740992.0) /* 2^53: a whole number, exactly */
        cp_buffer_printf(out, "%.0f", value);
    else
        cp_buffer_printf(out, "%.12g", value);
}

static void write_series(struct cp_buffer *out, const struct cp_metric *metric)
{
    const char *name = metric->family->name, *labels = metric->labels;
    if (!metric->histogram) {
        cp_buffer_printf(out, *labels ? "%s{%s} " : "%s%s ", name, labels);
        write_number(out, cp_metric_value(metric));
        cp_buffer_text(out, "\n");
        return;
    }
    struct histogram *histogram = metric->histogram;
    uint64_t total = 0;
    for (int i = 0; i <= N_BOUNDS; i++) {
        total += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        cp_buffer_printf(out, "%s_bucket{%s%sle=\"", name, labels, *labels ? "," : "");
        write_number(out, i < N_BOUNDS ? (double)histogram->observe->bounds_ns[i] / CP_NS_PER_S : INFINITY);
        cp_buffer_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
    int64_t sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    cp_buffer_printf(out, "%s_sum%s%s%s %.9f\n", name, open, labels, close, (double)sum_ns / CP_NS_PER_S);
    cp_buffer_printf(out, "%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)total);
}

/* HELP escapes backslash and line feed only. */
static void write_help(struct cp_buffer *out, const struct family *family)
{
    if (!*family->help)
        return;
    cp_buffer_printf(out, "# HELP %s ", family->name);
    for (const char *c = family->help; *c; c++) {
        if (*c == '\\' || *c == '\n')
            cp_buffer_text(out, *c == '\n' ? "\\n" : "\\\\");
        else
            cp_buffer_add(out, c, 1);
    }
    cp_buffer_text(out, "\n");
}

void cp_observe_write(struct cp_observe *observe, struct cp_buffer *out)
{
    pthread_mutex_lock(&observe->lock);
    size_t n_collectors = observe->n_collectors;
    pthread_mutex_unlock(&observe->lock);
    /* Entries are only ever added, and collectors may make metrics: called without the lock. */
    for (size_t i = 0; i < n_collectors; i++)
        observe->collectors[i].collect(observe->collectors[i].user);
    pthread_mutex_lock(&observe->lock);
    for (const struct family *family = observe->first; family; family = family->next) {
        if (!family->first)
            continue;
        write_help(out, family);
        cp_buffer_printf(out, "# TYPE %s %s\n", family->name, KIND_NAME[family->kind]);
        for (const struct cp_metric *metric = family->first; metric; metric = metric->next)
            write_series(out, metric);
    }
    pthread_mutex_unlock(&observe->lock);
}
