#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * CP_NS_PER_S + t.tv_nsec;
}

int64_t cp_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cp_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t cp_clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void cp_clock_sleep_until_ns(int64_t deadline_ns)
{
    struct timespec t = {.tv_sec = deadline_ns / CP_NS_PER_S, .tv_nsec = deadline_ns % CP_NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

uint64_t cp_clock_ntp(int64_t wall_ns)
{
    const uint64_t seconds_1900_to_1970 = 2208988800u;
    uint64_t seconds = (uint64_t)(wall_ns / CP_NS_PER_S) + seconds_1900_to_1970;
    uint64_t fraction = ((uint64_t)(wall_ns % CP_NS_PER_S) << 32) / (uint64_t)CP_NS_PER_S;
    return seconds << 32 | fraction;
}

void cp_clock_rfc3339(int64_t wall_ns, char *text)
{
    time_t seconds = (time_t)(wall_ns / CP_NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t n = strftime(text, 24, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, 32 - n, ".%03dZ", (int)(wall_ns % CP_NS_PER_S / CP_NS_PER_MS));
}
