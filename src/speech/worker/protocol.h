/*
 * How Compere talks to a voice program. PROTOCOL.md describes it for people who write one.
 *
 * Frames over standard input and output: 8 bytes of head ('C' 'V', type, 0, payload length as 32-bit
 * big-endian), then the payload: JSON in UTF-8, or little-endian 16-bit samples for CP_FRAME_SOUND.
 */
#ifndef CP_SPEECH_WORKER_PROTOCOL_H
#define CP_SPEECH_WORKER_PROTOCOL_H

#include <stdint.h>

#define CP_VOICE_PROTOCOL   1
#define CP_FRAME_HEAD_BYTES 8
#define CP_FRAME_MAX_BYTES  (1 << 20)

enum cp_frame_type {
    CP_FRAME_UNSET,
    CP_FRAME_HELLO = 'H',  /* program -> Compere, once */
    CP_FRAME_SPEAK = 'S',  /* Compere -> program */
    CP_FRAME_BEGIN = 'B',  /* program -> Compere: sound follows, at this rate */
    CP_FRAME_SOUND = 'P',  /* samples */
    CP_FRAME_EVENTS = 'M', /* words and phones */
    CP_FRAME_DONE = 'D',
    CP_FRAME_ERROR = 'E', /* this request failed; the program goes on */
};

static inline void cp_frame_write_head(uint8_t *head, enum cp_frame_type type, uint32_t length)
{
    head[0] = 'C';
    head[1] = 'V';
    head[2] = (uint8_t)type;
    head[3] = 0;
    head[4] = (uint8_t)(length >> 24);
    head[5] = (uint8_t)(length >> 16);
    head[6] = (uint8_t)(length >> 8);
    head[7] = (uint8_t)length;
}

/* The payload's length, or -1 when this is no head or the payload is too long. */
static inline int32_t cp_frame_read_head(const uint8_t *head, enum cp_frame_type *ret_type)
{
    uint32_t length = (uint32_t)head[4] << 24 | (uint32_t)head[5] << 16 | (uint32_t)head[6] << 8 | head[7];
    if (head[0] != 'C' || head[1] != 'V' || head[3] != 0 || length > CP_FRAME_MAX_BYTES)
        return -1;
    *ret_type = head[2];
    return (int32_t)length;
}

#endif
