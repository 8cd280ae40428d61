/*
 * How well sounds are aligned: sentences spoken by flite, whose phone times are exact, are stripped of them,
 * aligned by their text, and compared. Shared by the test and the bench.
 */
#ifndef TEST_ALIGN_TRUTH_H
#define TEST_ALIGN_TRUTH_H

#include "speech/align/align.h"
#include "speech/visemes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const TRUTH_SENTENCES[] = {
    "The quick brown fox jumps over the lazy dog.",
    "Welcome back everyone, it is great to see so many of you tonight.",
    "Please remember to follow the channel and share the stream with your friends.",
    "This phone has a bigger battery and a better camera than last year.",
    "The price today is only ninety nine dollars with free shipping.",
    "Bob bought a pumpkin pie from the market by the beach.",
    "We will answer your questions at the end of the show.",
    "She sells sea shells by the sea shore every summer.",
    "How much wood would a woodchuck chuck if a woodchuck could chuck wood?",
    "Let me show you how this product works in practice.",
    "The weather in the north is cold, but the sun is warm.",
    "My mother makes the best blueberry muffins in the world.",
    "Click the link below to order your own copy now.",
    "I think that this feature is very useful for teachers.",
    "Five brave fishermen found a very valuable vase.",
    "Good morning, and thank you for joining our live broadcast.",
    "You can choose between red, green, blue and yellow.",
    "Our support team is available around the clock.",
    "Peter Piper picked a peck of pickled peppers.",
    "Don't forget to leave a comment before you go.",
    "The train leaves at noon from the second platform.",
    "Nobody expected the small team to win the final match.",
    "Fresh bread and butter is all I need for breakfast.",
    "They walked along the river until the lamps were lit.",
    "Our new office has a garden on the roof.",
    "Could you tell me where the nearest pharmacy is?",
    "A heavy rain washed the dust from the leaves.",
    "The museum opens late on Thursdays and is free on Sundays.",
    "He fixed the old radio with a spoon and some tape.",
    "Half of the visitors came by bicycle this weekend.",
    "The chef chopped onions, garlic and a handful of parsley.",
    "We tested the jacket in snow, wind and salt water.",
    "Both of them thought that the path went further north.",
    "Her voice was calm, though the news was not.",
    "Put the kettle on and find a comfortable chair.",
    "Sixteen students shared one very large pizza.",
    "The judge paused, looked up, and smiled at the child.",
    "Never leave a candle burning in an empty room.",
    "Thank you for watching, and see you again tomorrow.",
    "Most maps of the island show only two roads.",
};
enum { TRUTH_N = sizeof TRUTH_SENTENCES / sizeof *TRUTH_SENTENCES, TRUTH_PHONES = 400 };

/* A phone that shows something: its first shape and when it begins. */
struct truth_phone {
    enum cp_viseme shape;
    double at_ms;
};

static int truth_phones(const struct cp_sound *sound, enum cp_phone_set set, struct truth_phone *phones)
{
    int n = 0;
    for (size_t i = 0; i < sound->n_events && n < TRUTH_PHONES; i++) {
        const struct cp_sound_event *event = &sound->events[i];
        if (event->type != CP_SOUND_PHONE || !*event->name)
            continue;
        struct cp_mouth mouth = cp_mouth_of_phone(set, event->name);
        if (mouth.n)
            phones[n++] = (struct truth_phone){mouth.of_next ? CP_VISEME_UNSET : mouth.part[0].viseme,
                                               event->at * 1000.0 / sound->hz};
    }
    return n;
}

static float truth_price(enum cp_viseme a, enum cp_viseme b)
{
    if (a == b)
        return 0;
    return a >= CP_VISEME_AA && b >= CP_VISEME_AA ? 0.4f : 1.2f; /* two vowels are nearer than others */
}

/* The two engines' phones are paired by edit distance over their shapes (Wagner and Fischer); of equal pairs
 * the error in ms goes into `errors`. Returns how many there are. */
static int truth_compare(const struct truth_phone *truth, int n, const struct truth_phone *found, int m,
                         double *errors)
{
    static float price[TRUTH_PHONES + 1][TRUTH_PHONES + 1];
    const float gap = 0.7f;
    for (int i = 0; i <= n; i++)
        for (int j = 0; j <= m; j++) {
            float best = i || j ? INFINITY : 0;
            if (i && j)
                best = price[i - 1][j - 1] + truth_price(truth[i - 1].shape, found[j - 1].shape);
            if (i)
                best = fminf(best, price[i - 1][j] + gap);
            if (j)
                best = fminf(best, price[i][j - 1] + gap);
            price[i][j] = best;
        }
    int count = 0;
    for (int i = n, j = m; i && j;) {
        float step = truth_price(truth[i - 1].shape, found[j - 1].shape);
        if (price[i][j] == price[i - 1][j - 1] + step) {
            if (step == 0)
                errors[count++] = found[j - 1].at_ms - truth[i - 1].at_ms;
            i--;
            j--;
        } else if (price[i][j] == price[i - 1][j] + gap) {
            i--;
        } else {
            j--;
        }
    }
    return count;
}

/* Speaks by flite, strips the marks, aligns. Returns how many errors (ms, signed) it wrote, -1 on failure. */
static inline int truth_measure(struct cp_aligner *aligner, const char *voice, const char *text,
                                double *errors, double *ret_seconds)
{
    static struct truth_phone truth[TRUTH_PHONES], found[TRUTH_PHONES];
    static const atomic_bool never = false;
    struct cp_sound sound = {0};
    struct cp_piece piece = {
        .voice = voice, .text = text, .length = strlen(text), .rate = 1, .pitch = 1, .range = 1};
    int count = -1;
    if (!cp_flite_provider.speak(NULL, &piece, &never, &sound, NULL)) {
        int n = truth_phones(&sound, CP_PHONES_RADIO, truth);
        sound.n_events = 0;
        struct cp_align_request request = {.language = "en-US", .text = text, .length = strlen(text)};
        enum cp_phone_set set = CP_PHONES_UNSET;
        if (!cp_align(aligner, &request, &sound, &set, NULL) && set == CP_PHONES_IPA)
            count = truth_compare(truth, n, found, truth_phones(&sound, set, found), errors);
        *ret_seconds += (double)sound.n_samples / sound.hz;
    }
    cp_sound_free(&sound);
    return count;
}

static int truth_by_size(const void *a, const void *b)
{
    double left = fabs(*(const double *)a), right = fabs(*(const double *)b);
    return (left > right) - (left < right);
}

/* The absolute error that `share` of them do not exceed; sorts them. */
static inline double truth_share(double *errors, int n, double share)
{
    qsort(errors, (size_t)n, sizeof *errors, truth_by_size);
    return n ? fabs(errors[(int)(share * (n - 1))]) : INFINITY;
}

#endif
