/* WAV, Ogg and marks files. */
#include "listener.h"

#include "media/clock.h"

#include <jansson.h>
#include <math.h>
#include <unistd.h>

enum { N = 3 };
static struct cp_utterance *made[N];

/* Three utterances of 0.5 s with a tone each, and some marks. */
static int setup(void **state)
{
    for (int i = 0; i < N; i++) {
        made[i] = cp_utterance_create(24000, 4, "Say \"hi\".");
        made[i]->sentence = i;
        made[i]->text_start = 10 * i;
        made[i]->text_end = 10 * i + 9;
        for (int k = 0; k < 24000; k++)
            made[i]->pcm[k] = (int16_t)(8000 * sin(2 * M_PI * 300 * (i + 1) * k / 48000.0));
        made[i]->marks[0] = (struct cp_mark){.type = CP_MARK_SENTENCE, .start = 10 * i, .end = 10 * i + 9};
        made[i]->marks[1] = (struct cp_mark){
            .type = CP_MARK_WORD, .at_samples = 4800, .start = 10 * i + 4, .end = 10 * i + 8};
        made[i]->marks[2] =
            (struct cp_mark){.type = CP_MARK_VISEME, .at_samples = 4848, .viseme = CP_VISEME_PP, .weight = 1};
        made[i]->marks[3] = (struct cp_mark){.type = CP_MARK_NAMED, .at_samples = 9600, .name = "a\\b\n"};
        made[i]->n_marks = 4;
    }
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < N; i++)
        cp_ref_drop(made[i]);
    return 0;
}

static uint32_t le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void wav_has_a_true_header(void **state)
{
    struct cp_buffer wav = cp_buffer_make(1 << 20);
    assert_int_equal(cp_speech_write_wav(made, N, &wav), 0);
    assert_int_equal(wav.length, 44 + N * 48000);
    assert_memory_equal(wav.data, "RIFF", 4);
    assert_int_equal(le32(wav.data + 4), wav.length - 8);
    assert_memory_equal(wav.data + 8, "WAVEfmt ", 8);
    assert_int_equal(le32(wav.data + 20), 1 | 1 << 16); /* PCM, mono */
    assert_int_equal(le32(wav.data + 24), 48000);
    assert_int_equal(le32(wav.data + 28), 96000);
    assert_int_equal(le32(wav.data + 32), 2 | 16 << 16);
    assert_int_equal(le32(wav.data + 40), N * 48000);
    int16_t sample;
    memcpy(&sample, wav.data + 44 + 48000 + 2 * 77, 2);
    assert_int_equal(sample, made[1]->pcm[77]);
    cp_buffer_free(&wav);
    struct cp_buffer small = cp_buffer_make(100);
    assert_int_equal(cp_speech_write_wav(made, N, &small), CP_ERR_LIMIT);
    cp_buffer_free(&small);
    struct cp_buffer empty = cp_buffer_make(100);
    assert_int_equal(cp_speech_write_wav(NULL, 0, &empty), 0);
    assert_int_equal(empty.length, 44);
    cp_buffer_free(&empty);
}

static void marks_are_json_lines_from_the_first_start(void **state)
{
    struct cp_buffer marks = cp_buffer_make(1 << 20);
    assert_int_equal(cp_speech_write_marks(made, N, &marks), 0);
    const char *line = cp_buffer_string(&marks);
    for (int i = 0; i < N; i++) {
        static const char *const types[] = {"sentence", "word", "viseme", "mark"};
        static const char *const values[] = {"Say \"hi\".", "\"hi\"", "PP", "a\\b\n"};
        static const int times[] = {0, 100, 101, 200};
        for (int k = 0; k < 4; k++) {
            json_t *mark = json_loadb(line, strcspn(line, "\n"), 0, NULL);
            assert_non_null(mark);
            assert_int_equal(json_integer_value(json_object_get(mark, "time_ms")), 500 * i + times[k]);
            assert_string_equal(json_string_value(json_object_get(mark, "type")), types[k]);
            assert_string_equal(json_string_value(json_object_get(mark, "value")), values[k]);
            if (k < 2)
                assert_int_equal(json_integer_value(json_object_get(mark, "start")), made[i]->marks[k].start);
            json_decref(mark);
            line += strcspn(line, "\n") + 1;
        }
    }
    assert_string_equal(line, "");
    cp_buffer_free(&marks);
}

static uint32_t slow_crc(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < length * 8; i++) {
        uint32_t bit = bytes[i / 8] >> (7 - i % 8) & 1;
        uint32_t top = sum >> 31;
        sum = sum << 1;
        if (top ^ bit)
            sum ^= 0x04c11db7;
    }
    return sum;
}

static void ogg_pages_are_sound(void **state)
{
    struct cp_buffer ogg = cp_buffer_make(1 << 20);
    struct cp_error error;
    int result = cp_speech_write_ogg(made, N, &ogg, &error);
    if (result == CP_ERR_UNSUPPORTED)
        skip();
    assert_int_equal(result, 0);
    size_t at = 0;
    uint32_t sequence = 0;
    uint64_t granule = 0, pre_skip = 0;
    while (at < ogg.length) {
        uint8_t *page = ogg.data + at;
        assert_memory_equal(page, "OggS", 5);
        size_t body = 0, n_segments = page[26];
        for (size_t i = 0; i < n_segments; i++)
            body += page[27 + i];
        size_t length = 27 + n_segments + body;
        assert_true(at + length <= ogg.length);
        assert_int_equal(le32(page + 18), sequence);
        assert_int_equal(page[5], sequence == 0 ? 2 : at + length == ogg.length ? 4 : 0);
        uint32_t crc = le32(page + 22);
        memset(page + 22, 0, 4);
        assert_int_equal(slow_crc(page, length), crc);
        granule = le32(page + 6);
        if (sequence == 0) {
            assert_memory_equal(page + 28, "OpusHead", 8);
            pre_skip = page[28 + 10] | page[28 + 11] << 8;
        }
        sequence++;
        at += length;
    }
    assert_true(sequence >= 4);
    assert_int_equal(granule, pre_skip + N * 24000); /* the last granule ends the sound to the sample */
    cp_buffer_free(&ogg);
}

/* Loud enough for Opus to follow; the error is what 48 kbit/s leave. */
static void ogg_is_read_back_to_the_sample(void **state)
{
    struct cp_buffer ogg = cp_buffer_make(1 << 20), parts = cp_buffer_make(1 << 20);
    struct cp_utterance *back = NULL;
    struct cp_ogg *writer;
    if (cp_speech_write_ogg(made, N, &ogg, NULL) == CP_ERR_UNSUPPORTED)
        skip();
    int32_t n = 0;
    assert_int_equal(cp_ogg_create(&parts, &writer, NULL), 0);
    for (int i = 0; i < N; i++) {
        n += made[i]->n_samples;
        for (int32_t at = 0, step = 777; at < made[i]->n_samples; at += step)
            assert_int_equal(
                cp_ogg_add(writer, made[i]->pcm + at,
                           (size_t)(made[i]->n_samples - at < step ? made[i]->n_samples - at : step), NULL),
                0);
    }
    assert_int_equal(cp_ogg_end(writer, NULL), 0);
    cp_ogg_destroy(writer);
    assert_int_equal(parts.length, ogg.length); /* piece by piece is the same file */
    assert_memory_equal(parts.data, ogg.data, ogg.length);
    assert_int_equal(cp_speech_read_ogg(ogg.data, ogg.length, &back, NULL), 0);
    assert_int_equal(back->n_samples, n);
    cp_ref_drop(back);
    for (size_t length = 0; length < ogg.length; length += 37) /* cut anywhere: never read as a whole file */
        if (!cp_speech_read_ogg(ogg.data, length, &back, NULL)) {
            assert_true(back->n_samples < n);
            cp_ref_drop(back);
        }
    for (size_t at = 0; at < ogg.length; at += 101) { /* one byte wrong: the page's sum tells */
        ogg.data[at] ^= 0x40;
        assert_int_equal(cp_speech_read_ogg(ogg.data, ogg.length, &back, NULL), CP_ERR_FORMAT);
        ogg.data[at] ^= 0x40;
    }
    cp_buffer_free(&ogg);
    cp_buffer_free(&parts);
}

static void ogg_is_understood_by_ffprobe(void **state)
{
    if (system("command -v ffprobe >/dev/null 2>&1") != 0)
        skip();
    struct cp_buffer ogg = cp_buffer_make(1 << 20);
    if (cp_speech_write_ogg(made, N, &ogg, NULL) == CP_ERR_UNSUPPORTED)
        skip();
    char path[] = "/tmp/compere-test-XXXXXX", command[200], answer[100] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, ogg.data, ogg.length), ogg.length);
    close(fd);
    snprintf(command, sizeof command,
             "ffprobe -v error -show_entries stream=codec_name,channels:format=duration -of csv=p=0 %s 2>&1",
             path);
    FILE *pipe = popen(command, "r");
    size_t got = fread(answer, 1, sizeof answer - 1, pipe);
    pclose(pipe);
    unlink(path);
    assert_true(got > 0);
    assert_string_equal(answer, "opus,1\n1.506500\n"); /* ffprobe counts the pre-skip of 6.5 ms */
    cp_buffer_free(&ogg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wav_has_a_true_header),
        cmocka_unit_test(marks_are_json_lines_from_the_first_start),
        cmocka_unit_test(ogg_pages_are_sound),
        cmocka_unit_test(ogg_is_read_back_to_the_sample),
        cmocka_unit_test(ogg_is_understood_by_ffprobe),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
