/*
 * Metrics: counters, gauges and histograms by name and labels, written as Prometheus text
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Updating is one atomic operation and never
 * allocates; making a metric allocates, so make them when the thing they count is made. Any thread.
 */
#ifndef CP_OBSERVE_H
#define CP_OBSERVE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct cp_observe; /* the registry; one a program, owned by the app */
struct cp_metric;  /* owned by the registry */

struct cp_observe *cp_observe_create(void);
void cp_observe_destroy(struct cp_observe *observe);

/*
 * The metric with this name and labels, made when it is not there yet. labels is "" or `a="x",b="y"` as in
 * the text format; the caller escapes values with cp_observe_label. Never NULL: when memory or the limit
 * (4096 series) runs out it returns a metric that counts into the void, and logs once.
 */
struct cp_metric *cp_counter(struct cp_observe *observe, const char *name, const char *labels,
                             const char *help);
struct cp_metric *cp_gauge(struct cp_observe *observe, const char *name, const char *labels,
                           const char *help);
/* Seconds, with bounds from 100 us to 30 s, about a third of an octave apart; quantiles can be read back. */
struct cp_metric *cp_histogram(struct cp_observe *observe, const char *name, const char *labels,
                               const char *help);

void cp_metric_add(struct cp_metric *metric, double value);
void cp_metric_set(struct cp_metric *metric, double value);
void cp_metric_observe_ns(struct cp_metric *metric, int64_t duration_ns);
double cp_metric_value(const struct cp_metric *metric);
/* Of a histogram, seconds: interpolated within the bucket; 0 when it is empty. q in 0..1. */
double cp_metric_quantile(const struct cp_metric *metric, double q);
uint64_t cp_metric_count(const struct cp_metric *metric);

/* A function that sets gauges from elsewhere (queue depths, process memory) just before each writing. At
 * most 64. */
void cp_observe_on_write(struct cp_observe *observe, void (*collect)(void *user), void *user);

/* Writes key="value" with the value escaped, into text of `capacity` bytes. Returns text. */
const char *cp_observe_label(char *text, size_t capacity, const char *key, const char *value);

/* Everything as Prometheus text version 0.0.4. thread: net */
void cp_observe_write(struct cp_observe *observe, struct cp_buffer *out);

#endif
