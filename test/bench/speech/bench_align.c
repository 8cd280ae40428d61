/*
 * How far aligned phones are from where they truly are, and what aligning costs.
 *     bench_align WORKER
 * WORKER is the compere-espeak program. 40 sentences by each of flite's voices; a table as Markdown. CPU time
 * is of this program (features and warping of sound and references), not the worker's, and includes no flite.
 */
#include "../../unit/speech/align_truth.h"

#include <stdio.h>
#include <time.h>

enum { MAX_ERRORS = TRUTH_N * TRUTH_PHONES };

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What flite itself takes for all sentences. */
static double flite_ms(const char *voice)
{
    static const atomic_bool never = false;
    double start = cpu_ms();
    for (int i = 0; i < TRUTH_N; i++) {
        const char *text = TRUTH_SENTENCES[i];
        struct cp_piece piece = {
            .voice = voice, .text = text, .length = strlen(text), .rate = 1, .pitch = 1, .range = 1};
        struct cp_sound sound = {0};
        cp_flite_provider.speak(NULL, &piece, &never, &sound, NULL);
        cp_sound_free(&sound);
    }
    return cpu_ms() - start;
}

static void print_row(const char *name, double *errors, int n, double ms, double seconds)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += errors[i];
    printf("| %s | %d | %.1f | %.1f | %.1f | %.1f |\n", name, n, truth_share(errors, n, 0.5),
           truth_share(errors, n, 0.9), sum / n, ms / seconds);
}

int main(int argc, char **argv)
{
    static const char *const VOICES[] = {"slt", "rms", "awb", "kal16"};
    static double errors[4 * MAX_ERRORS], one[MAX_ERRORS];
    struct cp_speech_config config = {0};
    struct cp_error error = {0};
    void *flite = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: bench_align WORKER\n");
        return 2;
    }
    snprintf(config.worker, sizeof config.worker, "%s", argv[1]);
    if (cp_flite_provider.open(&config, &flite, &error))
        return 1;
    struct cp_aligner *aligner = cp_aligner_create(&config);
    int total = 0;
    double total_ms = 0, total_s = 0;
    printf("| voice | phones | median, ms | p90, ms | mean, ms | CPU, ms a second of sound "
           "|\n|---|---|---|---|---|---|\n");
    for (size_t v = 0; v < sizeof VOICES / sizeof *VOICES; v++) {
        int n = 0;
        double seconds = 0, spoken_ms = flite_ms(VOICES[v]), start = cpu_ms();
        for (int i = 0; i < TRUTH_N; i++) {
            int count = truth_measure(aligner, VOICES[v], TRUTH_SENTENCES[i], one + n, &seconds);
            if (count < 0) {
                fprintf(stderr, "%s: not aligned: %s\n", VOICES[v], TRUTH_SENTENCES[i]);
                return 1;
            }
            n += count;
        }
        double ms = cpu_ms() - start - spoken_ms;
        memcpy(errors + total, one, (size_t)n * sizeof *one);
        total += n;
        total_ms += ms;
        total_s += seconds;
        print_row(VOICES[v], one, n, ms, seconds);
    }
    print_row("all", errors, total, total_ms, total_s);
    cp_aligner_destroy(aligner);
    return 0;
}
