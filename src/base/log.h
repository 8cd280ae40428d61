/*
 * Log lines to stderr: key=value by default, JSON on request. One line is one write, so lines never mix.
 * Never log a secret or a whole question. Any thread; does not allocate.
 */
#ifndef CP_BASE_LOG_H
#define CP_BASE_LOG_H

enum cp_log_level { CP_LOG_UNSET, CP_LOG_DEBUG, CP_LOG_INFO, CP_LOG_WARN, CP_LOG_ERROR };
enum cp_log_format { CP_LOG_FORMAT_UNSET, CP_LOG_KEY_VALUE, CP_LOG_JSON };

/* Sets what is shown and how. Call once, before threads start. Unset values keep the default (info,
 * key=value). */
void cp_log_setup(enum cp_log_level lowest, enum cp_log_format format);

/*
 * Writes one line: time, level, stage, event, then the pairs. `pairs` is a printf format of space separated
 * key=value pairs whose string values are written as key="%s"; NULL or "" for none. Example:
 *     cp_log(CP_LOG_INFO, "show", "cue done", "channel=%s cue=%s speaking_ms=%d", channel, id, ms);
 * Bounded to 1 kB; a longer line is cut and ends in "...".
 */
void cp_log(enum cp_log_level level, const char *stage, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 4, 5)));

#endif
