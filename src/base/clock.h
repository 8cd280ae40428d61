/*
 * Time. Inside the program, time is int64_t nanoseconds of the monotonic clock; wall time only at the edges
 * (records, HTTP dates, RTCP sender reports). Any thread.
 */
#ifndef CP_BASE_CLOCK_H
#define CP_BASE_CLOCK_H

#include <stdint.h>

#define CP_NS_PER_MS INT64_C(1000000)
#define CP_NS_PER_S  INT64_C(1000000000)

/* Monotonic nanoseconds. */
int64_t cp_clock_now_ns(void);

/* Nanoseconds since 1970 (UTC). */
int64_t cp_clock_wall_ns(void);

/* CPU time of the calling thread in nanoseconds. */
int64_t cp_clock_thread_cpu_ns(void);

/* Sleeps until the monotonic time; returns at once when it has passed. Restarts after signals. */
void cp_clock_sleep_until_ns(int64_t deadline_ns);

/* A wall time as 64-bit NTP timestamp (RFC 5905 section 6: seconds since 1900 in the high half). */
uint64_t cp_clock_ntp(int64_t wall_ns);

/* Writes an RFC 3339 UTC time with milliseconds ("2026-01-02T03:04:05.678Z"); text holds 32 bytes. */
void cp_clock_rfc3339(int64_t wall_ns, char *text);

#endif
