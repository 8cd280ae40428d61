/*
 * What is performed at one moment: the answer of the show to "who says what, how, now?", asked once a frame.
 * A plain value; the utterance is borrowed and stays valid until the next moment is asked.
 */
#ifndef CP_MEDIA_MOMENT_H
#define CP_MEDIA_MOMENT_H

#include "media/card.h"
#include "media/utterance.h"

#include <stdbool.h>
#include <stdint.h>

enum cp_emotion {
    CP_EMOTION_UNSET,
    CP_EMOTION_NEUTRAL,
    CP_EMOTION_WARM,
    CP_EMOTION_HAPPY,
    CP_EMOTION_SERIOUS,
    CP_EMOTION_SURPRISED,
    CP_EMOTION_SAD,
    CP_EMOTION_THINKING,
    CP_EMOTION_COUNT,
};

enum cp_attention {
    CP_ATTENTION_UNSET,
    CP_ATTENTION_IDLE, /* nothing to say, nobody asks */
    CP_ATTENTION_SPEAKING,
    CP_ATTENTION_LISTENING, /* a question is coming in */
    CP_ATTENTION_THINKING,  /* an answer is being made */
};

/* Where the speaker looks; unset: as acting sees fit, mostly at the camera. */
enum cp_look {
    CP_LOOK_UNSET,
    CP_LOOK_CAMERA,
    CP_LOOK_CARD,    /* the card or screen that is being shown */
    CP_LOOK_NOTES,   /* the desk before them */
    CP_LOOK_PARTNER, /* the other one on stage */
    CP_LOOK_COUNT,
};

struct cp_scene; /* a stage made ready: who stands where, in which set. The app's; others only carry it */

struct cp_moment {
    int64_t at_samples; /* the channel's sample clock */
    enum cp_attention attention;
    const struct cp_utterance *utterance; /* NULL while silent; borrowed */
    int32_t offset_samples;               /* position in the utterance: 0 .. n_samples */
    int32_t speech_in_samples;            /* until somebody speaks: 0 now; -1 nobody is known to */
    float gain;                           /* 1, or falling to 0 while a cut fades out */
    enum cp_emotion emotion;
    float emotion_intensity; /* 0..1 */
    char action[24];         /* named gesture to start at this moment, or "" */
    enum cp_look look;
    struct cp_scene
        *scene;          /* the stage made for it, or NULL for the channel's own; borrowed like utterance */
    char presenter[40];  /* who on stage performs this, or "" for the first */
    char camera[24];     /* named framing, or "" for the channel's own */
    float camera_move_s; /* how long a change of framing takes; 0: a cut */
    struct cp_card_spec card; /* to show, or an empty one */
    char cue[40];             /* id of the cue being performed, or "" */
    int64_t cue_asked_ns;     /* monotonic; 0 for rundown lines */
    bool first_of_line;       /* this frame is the first in which a cue or a rundown line sounds */
};

const char *cp_emotion_name(enum cp_emotion emotion);
const char *cp_look_name(enum cp_look look);
enum cp_look cp_look_from_name(const char *name);       /* CP_LOOK_UNSET for an unknown name */
enum cp_emotion cp_emotion_from_name(const char *name); /* CP_EMOTION_UNSET for an unknown name */

#endif
