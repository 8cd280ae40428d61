/*
 * A voice program that behaves as its name says (tests make symbolic links to it), or its argument: tone
 * (well, at 48 kHz and without marks), die, hang, garbage, huge (a frame too large), endless (sound without
 * end), error, mute (no hello), strange (hello of another protocol), wild (marks outside of everything).
 */
#include "speech/worker/protocol.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_frame(enum cp_frame_type type, const void *payload, uint32_t length)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    cp_frame_write_head(head, type, length);
    fwrite(head, sizeof head, 1, stdout);
    fwrite(payload, 1, length, stdout);
    fflush(stdout);
}

static void write_text(enum cp_frame_type type, const char *text)
{
    write_frame(type, text, (uint32_t)strlen(text));
}

static bool read_request(void)
{
    uint8_t head[CP_FRAME_HEAD_BYTES];
    enum cp_frame_type type;
    static char payload[CP_FRAME_MAX_BYTES];
    if (fread(head, sizeof head, 1, stdin) != 1)
        return false;
    int32_t length = cp_frame_read_head(head, &type);
    return length >= 0 && fread(payload, 1, (size_t)length, stdin) == (size_t)length;
}

static void write_tone(void)
{
    static int16_t pcm[48000];
    for (int i = 0; i < 48000; i++)
        pcm[i] = (int16_t)(i % 240 < 120 ? 8000 : -8000);
    write_frame(CP_FRAME_SOUND, pcm, sizeof pcm);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *mode = argc > 1 ? argv[1] : slash ? slash + 1 : argv[0];
#define IS(name) (!strcmp(mode, name))
    if (IS("mute"))
        return 0;
    write_text(CP_FRAME_HELLO,
               IS("strange") ? "{\"protocol\":99}"
                             : "{\"protocol\":1,\"name\":\"fake\",\"new\":[],\"voices\":[{\"id\":\"de\","
                               "\"name\":\"Fake\",\"language\":\"de\",\"sex\":\"female\"},{},7]}");
    while (read_request()) {
        if (IS("die"))
            return 1;
        if (IS("hang"))
            pause();
        if (IS("garbage"))
            fwrite("no frame at all, but text", 1, 25, stdout), fflush(stdout);
        if (IS("huge"))
            fwrite("CVP\0\x7f\xff\xff\xff", 1, 8, stdout), fflush(stdout);
        if (IS("error")) {
            write_text(CP_FRAME_ERROR, "{\"id\":1,\"text\":\"I do not like this\"}");
            continue;
        }
        write_text(CP_FRAME_BEGIN, "{\"id\":1,\"hz\":48000}");
        do
            write_tone();
        while (IS("endless"));
        if (IS("wild"))
            write_text(
                CP_FRAME_EVENTS,
                "{\"marks\":[{\"type\":\"word\",\"at\":-5,\"length\":99999999999,\"start\":-1,\"end\":999},"
                "{\"type\":\"phone\",\"at\":99999999999,\"name\":\"p\"},{\"type\":\"phone\",\"at\":0,"
                "\"length\":-7,"
                "\"name\":\"much too long for a phone's name\",\"stress\":77},{\"type\":3},[],null,"
                "{\"type\":\"word\",\"at\":4,\"start\":5,\"end\":1}]}");
        write_text(CP_FRAME_DONE, "{\"id\":1}");
    }
    return 0;
}
