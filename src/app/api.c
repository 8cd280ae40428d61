/* The route table: every address of the HTTP interface, who may use it, and what its body holds. */
#include "app/api.h"

#include "app/desk/audience.h"

#define MAX_TEXT_BYTES 100000

#define TEXT(field, most, about)                                                                             \
    {                                                                                                        \
        .name = field, .type = CP_FIELD_TEXT, .min = 0, .max = most, .help = about                           \
    }
#define NUMBER(field, least, most, about)                                                                    \
    {                                                                                                        \
        .name = field, .type = CP_FIELD_NUMBER, .min = least, .max = most, .help = about                     \
    }
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

/* How a line is said: shared by cues, rundown lines and speech. */
#define VOICE_FIELDS                                                                                         \
    TEXT("text", MAX_TEXT_BYTES, "plain text to say (either this or ssml)"),                                 \
        TEXT("ssml", MAX_TEXT_BYTES, "SSML 1.1; what is passed over is told as warnings"),                   \
        TEXT("voice", 63, "a voice's id; GET /v1/voices"),                                                   \
        TEXT("language", 35, "BCP 47, when no voice is named"),                                              \
        NUMBER("rate", 0.5, 2, "speed, 1 is normal"), NUMBER("pitch", 0.5, 2, "pitch, 1 is normal"),         \
        NUMBER("volume", 0, 2, "loudness, 1 is normal"),                                                     \
        TEXT("style", 15, "the way of speaking: neutral, news, sales ...; GET /v1/styles")

/* What stands on a card. Lengths are bytes of UTF-8. */
static const struct cp_field card_fields[] = {
    TEXT("title", 159, "in bold; a long one is broken or ends in an ellipsis"),
    TEXT("text", 239, "below the title"),
    TEXT("price", 99, "at most 24 characters, in a badge"),
    TEXT("picture", 47, "an uploaded picture's id; GET /v1/media"),
    {.name = "side",
     .type = CP_FIELD_TEXT,
     .max = 15,
     .choices = "left|right",
     .help = "of the picture; a product is on the right when nothing is said"},
    END};

/* Where it is performed: of a cue, and of a channel while a cue says nothing else. */
#define STAGE_FIELDS                                                                                         \
    TEXT("set", 23, "GET /v1/sets"), TEXT("light", 23, "a mood; GET /v1/sets"),                              \
        TEXT("background", 47, "an upload's id (GET /v1/media), or #rrggbb for the sets plain and key"),     \
        TEXT("screen", 47, "what the set's screen shows: an upload's id, or \"card\" for the line's card")

#define CUE_FIELDS                                                                                           \
    VOICE_FIELDS,                                                                                            \
        TEXT("presenter", 39, "who says it: one of the channel's, or somebody else who takes the stage"),    \
        {.name = "emotion",                                                                                  \
         .type = CP_FIELD_TEXT,                                                                              \
         .max = 31,                                                                                          \
         .choices = "neutral|warm|happy|serious|surprised|sad|thinking",                                     \
         .help = "the face while saying it"},                                                                \
        TEXT("action", 23, "a gesture to begin with; GET /v1/actions"),                                      \
        {.name = "emotion_intensity", .type = CP_FIELD_NUMBER, .min = 0, .max = 1, .help = "0 to 1"},        \
        TEXT("camera", 23, "a framing; GET /v1/sets"),                                                       \
        NUMBER("camera_move_s", 0, 10, "how long the camera moves there; 0 cuts"),                           \
        {.name = "look",                                                                                     \
         .type = CP_FIELD_TEXT,                                                                              \
         .max = 15,                                                                                          \
         .choices = "camera|card|notes|partner",                                                             \
         .help = "where the presenter looks"},                                                               \
        STAGE_FIELDS,                                                                                        \
        {.name = "card",                                                                                     \
         .type = CP_FIELD_TEXT_OR_OBJECT,                                                                    \
         .max = 159,                                                                                         \
         .fields = card_fields,                                                                              \
         .help = "shown with it: a lower third (its first line is the title), or a product"},                \
    {                                                                                                        \
        .name = "ttl_s", .type = CP_FIELD_INTEGER, .min = 1, .max = 31536000,                                \
        .help = "how long its record and voice file are kept"                                                \
    }

#define LINE_FIELDS                                                                                          \
    CUE_FIELDS, TEXT("speech", 47, "a voice file's id (GET /v1/speech), said instead of a text")

static const struct cp_field cue_fields[] = {LINE_FIELDS, END};
static const struct cp_field speech_fields[] = {
    VOICE_FIELDS,
    TEXT("channel", 63, "the channel whose lexicon says how words are said"),
    {.name = "ttl_s", .type = CP_FIELD_INTEGER, .min = 1, .max = 31536000, .help = "how long it is kept"},
    END};
static const struct cp_field rundown_fields[] = {
    {.name = "loop", .type = CP_FIELD_BOOL, .help = "begin again after the last line"},
    {.name = "cues",
     .type = CP_FIELD_LIST,
     .required = true,
     .min = 0,
     .max = 500,
     .help = "the lines, in order",
     .fields = cue_fields},
    END};

static const struct cp_field persona_fields[] = {
    TEXT("name", 79, "\"Ava\""),
    TEXT("role", 199, "\"who hosts the evening show of a toy shop\""),
    TEXT("tone", 199, "\"warm, clear and brief\""),
    {.name = "words", .type = CP_FIELD_INTEGER, .min = 5, .max = 200, .help = "of an answer, at most"},
    END};
static const struct cp_field answers_fields[] = {
    {.name = "mode",
     .type = CP_FIELD_TEXT,
     .required = true,
     .max = 15,
     .choices = "manual|auto",
     .help = "auto airs sure answers to viewers' questions without anybody's word; manual by default"},
    NUMBER("confident", 0, 1, "how sure an answer must be for that; 0.7 by default"),
    TEXT("filler", 1000, "said while a language model keeps one waiting; several lines by |, one is taken"),
    {.name = "filler_ms",
     .type = CP_FIELD_INTEGER,
     .min = 0,
     .max = 60000,
     .help = "after so long; 1200 by default"},
    {.name = "answer_by_s",
     .type = CP_FIELD_INTEGER,
     .min = 5,
     .max = 604800,
     .help = "questions that nobody has answered after so long are put aside; never, when nothing is said"},
    {.name = "persona",
     .type = CP_FIELD_OBJECT,
     .fields = persona_fields,
     .help = "who answers, where it is not as the server's configuration says"},
    END};
static const struct cp_field audience_fields[] = {
    {.name = "open", .type = CP_FIELD_BOOL, .required = true, .help = "whether the audience may ask"},
    {.name = "per_minute",
     .type = CP_FIELD_INTEGER,
     .min = 1,
     .max = 600,
     .help = "questions of one address; 3 by default"},
    TEXT("webhook_secret", 120, "what signs the calls of a chat's bridge: env:COMPERE_WEBHOOK_NAME"),
    TEXT("blocked", 4000, "words by commas that are not taken; \"word*\" takes all that begin so"),
    END};
static const struct cp_field music_fields[] = {
    TEXT("media", 47, "an uploaded sound's id (GET /v1/media); \"\" turns the music off"),
    NUMBER("volume_db", -60, 0, "against the voice, -18 by default"),
    NUMBER("duck_db", -40, 0, "further down while somebody speaks, -12 by default"), END};

#define CHANNEL_FIELDS                                                                                       \
    TEXT("title", 120, "for people"), TEXT("presenter", 39, "GET /v1/presenters"),                           \
        {.name = "presenters",                                                                               \
         .type = CP_FIELD_LIST,                                                                              \
         .min = 1,                                                                                           \
         .max = 2,                                                                                           \
         .help = "one or two who stand there",                                                               \
         .items = CP_FIELD_TEXT},                                                                            \
        TEXT("voice", 63, "default voice"), TEXT("language", 35, "default language"), STAGE_FIELDS,          \
        TEXT("camera", 23, "default framing"),                                                               \
        {.name = "width",                                                                                    \
         .type = CP_FIELD_INTEGER,                                                                           \
         .min = 240,                                                                                         \
         .max = 1920,                                                                                        \
         .help = "of the picture; with height"},                                                             \
        {.name = "height",                                                                                   \
         .type = CP_FIELD_INTEGER,                                                                           \
         .min = 240,                                                                                         \
         .max = 1920,                                                                                        \
         .help = "of the picture; with width"},                                                              \
        {.name = "access",                                                                                   \
         .type = CP_FIELD_TEXT,                                                                              \
         .max = 15,                                                                                          \
         .choices = "public|token",                                                                          \
         .help = "who may play it: anybody, or who has a playback token; public by default"},                \
        NUMBER("rate", 0.5, 2, "default speed"), NUMBER("pitch", 0.5, 2, "default pitch"),                   \
        NUMBER("volume", 0, 2, "default loudness"), TEXT("style", 15, "default way of speaking"),            \
        {.name = "music",                                                                                    \
         .type = CP_FIELD_OBJECT,                                                                            \
         .fields = music_fields,                                                                             \
         .help = "played behind the voice, over and over"},                                                  \
        {.name = "answers",                                                                                  \
         .type = CP_FIELD_OBJECT,                                                                            \
         .fields = answers_fields,                                                                           \
         .help = "who decides that an answer airs"},                                                         \
        {.name = "questions",                                                                                \
         .type = CP_FIELD_OBJECT,                                                                            \
         .fields = audience_fields,                                                                          \
         .help = "what the audience may ask, on the watch page"},                                            \
    {                                                                                                        \
        .name = "rundown", .type = CP_FIELD_OBJECT, .fields = rundown_fields,                                \
        .help = "what is said while no cue waits"                                                            \
    }

static const struct cp_field channel_fields[] = {
    {.name = "id", .type = CP_FIELD_TEXT, .required = true, .min = 1, .max = 32, .help = "a-z, 0-9 and -"},
    CHANNEL_FIELDS,
    END};
static const struct cp_field channel_patch_fields[] = {CHANNEL_FIELDS, END};
static const struct cp_field policy_fields[] = {{.name = "policy",
                                                 .type = CP_FIELD_TEXT,
                                                 .max = 15,
                                                 .choices = "now|word|sentence",
                                                 .help = "where to stop what is being said; now by default"},
                                                END};
static const struct cp_field key_fields[] = {{.name = "role",
                                              .type = CP_FIELD_TEXT,
                                              .required = true,
                                              .max = 15,
                                              .choices = "admin|operator|viewer",
                                              .help = "what it may do"},
                                             TEXT("name", 80, "for people"),
                                             END};
static const struct cp_field playback_key_fields[] = {
    TEXT("name", 80, "for people"),
    TEXT("public_key", 2000, "PEM of a public key on P-384; without it a pair is made"), END};
static const struct cp_field revoke_fields[] = {
    {.name = "viewer",
     .type = CP_FIELD_TEXT,
     .required = true,
     .min = 1,
     .max = CP_WEBRTC_GUEST_BYTES - 1,
     .help = "as the tokens name it (aws:viewer-id or viewer)"},
    {.name = "versions_up_to",
     .type = CP_FIELD_INTEGER,
     .min = 0,
     .max = 9007199254740991,
     .help = "of the viewer's session (aws:viewer-session-version); 0 by default"},
    END};
static const struct cp_field speech_query[] = {TEXT("cursor", 300, "from the last page"),
                                               {.name = "limit",
                                                .type = CP_FIELD_INTEGER,
                                                .min = 1,
                                                .max = 200,
                                                .help = "records a page, 50 by default"},
                                               TEXT("channel", 63, "only this channel's"),
                                               TEXT("cue", 63, "only this cue's"),
                                               TEXT("voice", 63, "only by this voice"),
                                               TEXT("text_sha256", 64, "only of the text with this hash"),
                                               END};
static const struct cp_field evaluation_query[] = {TEXT("collection", 63, "search only this one"), END};
static const struct cp_field recording_query[] = {
    TEXT("text", 4000, "what is said in it, word for word; without it lips follow the sound alone"),
    TEXT("title", 200, "for people; stands for the text where there is none"),
    TEXT("language", 35, "BCP 47; found out from the text when nothing is said"),
    {.name = "ttl_s", .type = CP_FIELD_INTEGER, .min = 1, .max = 31536000, .help = "how long it is kept"},
    END};
static const struct cp_field audio_query[] = {
    TEXT("format", 15, "wav, ogg, mp3 or pcm; else the Accept header says"),
    TEXT("expires", 20, "of a signed address"), TEXT("signature", 64, "of a signed address"), END};
static const struct cp_field audio_speech_fields[] = {
    TEXT("model", 127, "any: the voice decides which engine speaks"),
    {.name = "input",
     .type = CP_FIELD_TEXT,
     .required = true,
     .min = 1,
     .max = MAX_TEXT_BYTES,
     .help = "what is said"},
    {.name = "voice",
     .type = CP_FIELD_TEXT,
     .required = true,
     .min = 1,
     .max = 63,
     .help = "a voice's id (GET /v1/voices), or one of OpenAI's names for the default voice"},
    TEXT("response_format", 15, "mp3, wav, opus or pcm (24 kHz, 16 bit)"),
    NUMBER("speed", 0.5, 2, "1 is normal"),
    TEXT("instructions", 4096, "not used"),
    {.name = "stream_format",
     .type = CP_FIELD_TEXT,
     .max = 15,
     .choices = "audio",
     .help = "the sound itself"},
    END};
static const struct cp_field url_fields[] = {
    {.name = "expires_s",
     .type = CP_FIELD_INTEGER,
     .min = 1,
     .max = CP_STORE_MAX_URL_S,
     .help = "how long the address is good; 3600 by default"},
    TEXT("format", 15, "wav, ogg, mp3 or pcm"),
    {.name = "direct", .type = CP_FIELD_BOOL, .help = "an address of the object store itself (S3 only)"},
    END};
static const struct cp_field page_query[] = {TEXT("cursor", 300, "from the last page"),
                                             {.name = "limit",
                                              .type = CP_FIELD_INTEGER,
                                              .min = 1,
                                              .max = 200,
                                              .help = "records a page, 50 by default"},
                                             END};
static const struct cp_field events_query[] = {TEXT("channel", 40, "only this channel's events"), END};
static const struct cp_field snapshot_query[] = {
    {.name = "alpha",
     .type = CP_FIELD_TEXT,
     .max = 5,
     .choices = "0|1|false|true",
     .help = "1: without what is behind the presenters, with alpha"},
    END};
static const struct cp_field motion_query[] = {{.name = "name",
                                                .type = CP_FIELD_TEXT,
                                                .required = true,
                                                .min = 1,
                                                .max = CP_MOTION_NAME_BYTES - 1,
                                                .help = "what cues call it: a-z, 0-9, - and _"},
                                               END};
static const struct cp_field upload_query[] = {TEXT("name", 80, "for people"), END};
static const struct cp_field document_query[] = {
    TEXT("title", 200, "for people; one of the same title in the collection is replaced"),
    TEXT("collection", 63, "a-z, 0-9, - _ and .; main when nothing is said"),
    TEXT("language", 35, "BCP 47; found out when nothing is said"), END};
static const struct cp_field documents_query[] = {TEXT("cursor", 300, "from the last page"),
                                                  {.name = "limit",
                                                   .type = CP_FIELD_INTEGER,
                                                   .min = 1,
                                                   .max = 200,
                                                   .help = "documents a page, 50 by default"},
                                                  TEXT("collection", 63, "only this collection's"),
                                                  END};
static const struct cp_field boost_fields[] = {
    {.name = "boost",
     .type = CP_FIELD_NUMBER,
     .required = true,
     .min = 0.1,
     .max = 10,
     .help = "how much its passages count beside others', 1 is usual"},
    END};
static const struct cp_field passage_fields[] = {
    TEXT("heading", 400, "the headings above it"), TEXT("question", 1000, "of a pair"),
    TEXT("text", 8000, "what it says"), TEXT("link", 1000, "of a pair"), END};
static const struct cp_field pin_fields[] = {{.name = "question",
                                              .type = CP_FIELD_TEXT,
                                              .required = true,
                                              .min = 1,
                                              .max = 400,
                                              .help = "what is asked"},
                                             {.name = "document",
                                              .type = CP_FIELD_TEXT,
                                              .required = true,
                                              .min = 1,
                                              .max = 40,
                                              .help = "whose passages come first then"},
                                             END};
static const struct cp_field collection_fields[] = {
    NUMBER("confident", -1, 1, "its own threshold; less than 0: the server's"),
    TEXT("synonyms", 20000, "words that mean the same: a line a family, commas between"),
    {.name = "pins",
     .type = CP_FIELD_LIST,
     .min = 0,
     .max = 50,
     .help = "questions that a document answers, whatever the scores say",
     .fields = pin_fields},
    END};
static const struct cp_field search_fields[] = {
    {.name = "query",
     .type = CP_FIELD_TEXT,
     .required = true,
     .min = 1,
     .max = 4000,
     .help = "what is asked"},
    TEXT("collection", 63, "search only this one"),
    TEXT("language", 35, "BCP 47 of the query"),
    {.name = "limit", .type = CP_FIELD_INTEGER, .min = 1, .max = 50, .help = "hits, 5 by default"},
    END};
static const struct cp_field question_fields[] = {
    {.name = "text", .type = CP_FIELD_TEXT, .required = true, .min = 1, .max = 1000, .help = "what is asked"},
    TEXT("asker", 80, "who asks, for people"),
    TEXT("language", 35, "BCP 47; found out when nothing is said"),
    TEXT("collection", 63, "answer from this collection only"),
    END};
static const struct cp_field ask_fields[] = {
    {.name = "text", .type = CP_FIELD_TEXT, .required = true, .min = 2, .max = 400, .help = "what is asked"},
    TEXT("name", 40, "shown to the operator; what the same name asked before is known to the answer"),
    END};
static const struct cp_field priority_fields[] = {
    {.name = "priority",
     .type = CP_FIELD_INTEGER,
     .required = true,
     .min = -1,
     .max = 2,
     .help = "2 and 1 before others, -1 behind them; 0 is usual"},
    END};
static const struct cp_field questions_query[] = {TEXT("cursor", 300, "from the last page"),
                                                  {.name = "limit",
                                                   .type = CP_FIELD_INTEGER,
                                                   .min = 1,
                                                   .max = 200,
                                                   .help = "questions a page, 50 by default"},
                                                  {.name = "state",
                                                   .type = CP_FIELD_TEXT,
                                                   .max = 15,
                                                   .choices = "new|suggested|approved|aired|dismissed",
                                                   .help = "only these"},
                                                  END};
static const struct cp_field teach_fields[] = {
    TEXT("text", 4000, "the answer; else what was said, else what is suggested"), END};
static const struct cp_field approve_fields[] = {
    TEXT("text", 4000, "the answer as edited; the suggestion when nothing is said"), END};
static const struct cp_field nothing_fields[] = {END};
#define OUTPUT_FIELDS                                                                                        \
    TEXT("name", 80, "for people"),                                                                          \
        TEXT("url", 500, "the ingest: rtmp://, rtmps:// or srt://, without the key"),                        \
        TEXT("key", 400,                                                                                     \
             "the stream key (SRT: streamid), or env:NAME with a NAME that begins with COMPERE_STREAM_; "    \
             "never "                                                                                        \
             "given out again"),                                                                             \
        TEXT("backup_url", 500, "dialled when the first breaks; empty for none"),                            \
        TEXT("backup_key", 400, "of the backup, when it is another"),                                        \
    {                                                                                                        \
        .name = "enabled", .type = CP_FIELD_BOOL, .help = "whether it is pushed to; true by default"         \
    }

static const struct cp_field output_fields[] = {{.name = "preset",
                                                 .type = CP_FIELD_TEXT,
                                                 .max = 31,
                                                 .choices = "ivs-low-latency|ivs-real-time|youtube|custom",
                                                 .help = "whose rules are checked; custom by default"},
                                                OUTPUT_FIELDS,
                                                END};
static const struct cp_field output_patch_fields[] = {OUTPUT_FIELDS, END};

static const struct cp_field recording_fields[] = {
    {.name = "channel", .type = CP_FIELD_TEXT, .max = 40, .required = true, .help = "the channel, on air"},
    TEXT("title", 200, "for people"),
    {.name = "keep_s",
     .type = CP_FIELD_INTEGER,
     .min = 60,
     .max = 315360000,
     .help = "all of it expires so long after its start; 30 days by default"},
    {.name = "max_s",
     .type = CP_FIELD_INTEGER,
     .min = 1,
     .max = 86400,
     .help = "it ends by itself then; 12 hours by default"},
    END};
static const struct cp_field recordings_query[] = {
    TEXT("channel", 40, "only this one's"),
    TEXT("cursor", 300, "from the last page"),
    {.name = "limit", .type = CP_FIELD_INTEGER, .min = 1, .max = 200, .help = "50 by default"},
    END};
static const struct cp_field video_query[] = {
    TEXT("cue", 39, "only what this cue said, until the next item began"),
    {.name = "item", .type = CP_FIELD_INTEGER, .min = 0, .max = 999, .help = "only this item, from 0"},
    {.name = "from_ms",
     .type = CP_FIELD_INTEGER,
     .min = 0,
     .max = 86400000,
     .help = "from the key frame before"},
    {.name = "to_ms",
     .type = CP_FIELD_INTEGER,
     .min = 1,
     .max = 86400000,
     .help = "to the end of that second"},
    TEXT("expires", 20, "of a signed address"),
    TEXT("signature", 64, "of a signed address"),
    END};
static const struct cp_field recording_url_fields[] = {
    {.name = "expires_s",
     .type = CP_FIELD_INTEGER,
     .min = 1,
     .max = CP_STORE_MAX_URL_S,
     .help = "how long the address is good; 3600 by default"},
    TEXT("cue", 39, "only what this cue said"),
    {.name = "item", .type = CP_FIELD_INTEGER, .min = 0, .max = 999, .help = "only this item, from 0"},
    END};

#define CHANNEL "/v1/channels/{channel}"

const struct cp_route cp_api_routes[] = {
    {CP_GET, "/healthz", CP_ROLE_PUBLIC, "Whether the process is alive", .success = 200, .unlimited = true,
     .handle = cp_api_health},
    {CP_GET, "/readyz", CP_ROLE_PUBLIC, "Whether channels are drawn and the store answers", .success = 200,
     .unlimited = true, .handle = cp_api_ready},
    {CP_GET, "/metrics", CP_ROLE_VIEWER, "Prometheus metrics", .success = 200, .handle = cp_api_metrics},
    {CP_GET, "/v1/openapi.json", CP_ROLE_PUBLIC, "This interface, as OpenAPI 3.1", .success = 200,
     .handle = cp_api_openapi},

    {CP_GET, "/v1/presenters", CP_ROLE_VIEWER, "The presenters", .success = 200, .handle = cp_api_presenters},
    {CP_GET, "/v1/presenters/{presenter}/portrait.png", CP_ROLE_VIEWER, "A small picture of a presenter",
     .success = 200, .handle = cp_api_portrait},
    {CP_GET, "/v1/avatars", CP_ROLE_VIEWER, "The uploaded avatars", .success = 200,
     .handle = cp_api_avatars_list},
    {CP_POST, "/v1/avatars", CP_ROLE_OPERATOR, "Uploads an avatar: glTF 2.0 binary or VRM",
     .body_type = "*/*", .query = upload_query, .max_body_bytes = CP_ASSET_MAX_BYTES, .success = 201,
     .handle = cp_api_avatars_create},
    {CP_GET, "/v1/avatars/{avatar}", CP_ROLE_VIEWER, "An avatar's record and report", .success = 200,
     .handle = cp_api_avatar_get},
    {CP_DELETE, "/v1/avatars/{avatar}", CP_ROLE_OPERATOR, "Removes an avatar that no channel uses",
     .success = 204, .handle = cp_api_avatar_delete},
    {CP_GET, "/v1/media", CP_ROLE_VIEWER, "The uploaded pictures, videos and sounds", .success = 200,
     .handle = cp_api_media_list},
    {CP_POST, "/v1/media", CP_ROLE_OPERATOR,
     "Uploads a picture (PNG, JPEG, WebP), a video (MP4, WebM) or a sound (WAV, MP3, Ogg, M4A)",
     .body_type = "*/*", .query = upload_query, .max_body_bytes = CP_ASSET_MAX_BYTES, .success = 201,
     .handle = cp_api_media_create},
    {CP_GET, "/v1/media/{media}", CP_ROLE_VIEWER, "A picture's, video's or sound's record", .success = 200,
     .handle = cp_api_media_get},
    {CP_GET, "/v1/media/{media}/content", CP_ROLE_VIEWER, "The picture, video or sound itself",
     .success = 200, .handle = cp_api_media_content},
    {CP_GET, "/v1/media/{media}/thumbnail.png", CP_ROLE_VIEWER,
     "A small picture of it: 192 x 108, of a video its first frame", .success = 200,
     .handle = cp_api_media_thumbnail},
    {CP_DELETE, "/v1/media/{media}", CP_ROLE_OPERATOR, "Removes what no channel uses", .success = 204,
     .handle = cp_api_media_delete},
    {CP_GET, "/v1/voices", CP_ROLE_VIEWER, "The voices of all engines", .success = 200,
     .handle = cp_api_voices},
    {CP_GET, "/v1/styles", CP_ROLE_VIEWER, "The ways of speaking", .success = 200, .handle = cp_api_styles},
    {CP_GET, "/v1/sets", CP_ROLE_VIEWER, "The sets and their cameras", .success = 200, .handle = cp_api_sets},
    {CP_GET, "/v1/actions", CP_ROLE_VIEWER, "The gestures, and the uploaded motions", .success = 200,
     .handle = cp_api_actions},
    {CP_POST, "/v1/actions", CP_ROLE_OPERATOR,
     "Uploads a motion (VRM Animation, or glTF with a known skeleton) as an action of the name given",
     .body_type = "*/*", .query = motion_query, .max_body_bytes = CP_ASSET_MAX_BYTES, .success = 201,
     .handle = cp_api_actions_create},
    {CP_DELETE, "/v1/actions/{action}", CP_ROLE_OPERATOR, "Removes an uploaded motion that no channel uses",
     .success = 204, .handle = cp_api_action_delete},

    {CP_GET, "/v1/channels", CP_ROLE_VIEWER, "All channels", .success = 200, .handle = cp_api_channels_list},
    {CP_POST, "/v1/channels", CP_ROLE_ADMIN, "Makes a channel and puts it on air", .body = channel_fields,
     .max_body_bytes = 4 << 20, .idempotent_key = true, .success = 201, .handle = cp_api_channels_create},
    {CP_GET, CHANNEL, CP_ROLE_VIEWER, "One channel", .success = 200, .handle = cp_api_channel_get},
    {CP_PATCH, CHANNEL, CP_ROLE_OPERATOR, "Changes a channel", .body = channel_patch_fields,
     .max_body_bytes = 4 << 20, .success = 200, .handle = cp_api_channel_patch},
    {CP_DELETE, CHANNEL, CP_ROLE_ADMIN, "Takes a channel off the air and forgets it", .success = 204,
     .handle = cp_api_channel_delete},

    {CP_GET, CHANNEL "/cues", CP_ROLE_VIEWER, "The channel's cues, newest first", .query = page_query,
     .success = 200, .handle = cp_api_cues_list},
    {CP_POST, CHANNEL "/cues", CP_ROLE_OPERATOR, "Accepts a cue: durable, performed once, in order",
     .body = cue_fields, .max_body_bytes = 256 << 10, .idempotent_key = true, .success = 202,
     .handle = cp_api_cues_create},
    {CP_GET, CHANNEL "/cues/{cue}", CP_ROLE_VIEWER, "One cue", .success = 200, .handle = cp_api_cue_get},
    {CP_PATCH, CHANNEL "/cues/{cue}", CP_ROLE_OPERATOR, "Changes a cue that still waits", .body = cue_fields,
     .max_body_bytes = 256 << 10, .success = 200, .handle = cp_api_cue_patch},
    {CP_DELETE, CHANNEL "/cues/{cue}", CP_ROLE_OPERATOR, "Removes a waiting cue, cuts a speaking one",
     .success = 204, .handle = cp_api_cue_delete},
    {CP_POST, CHANNEL "/cues/{cue}/play", CP_ROLE_OPERATOR, "Plays a waiting cue next", .body = policy_fields,
     .success = 202, .handle = cp_api_cue_play},
    {CP_POST, CHANNEL "/interrupt", CP_ROLE_OPERATOR, "Stops what is being said", .body = policy_fields,
     .success = 202, .handle = cp_api_interrupt},

    {CP_GET, CHANNEL "/ask", CP_ROLE_PUBLIC, "Whether the audience may ask", .success = 200,
     .handle = cp_api_ask_state},
    {CP_POST, CHANNEL "/ask", CP_ROLE_PUBLIC,
     "Asks as one of the audience, where the channel takes questions", .body = ask_fields, .success = 201,
     .handle = cp_api_ask},
    {CP_POST, CHANNEL "/ask/webhook", CP_ROLE_PUBLIC,
     "Asks for somebody in a chat; signed (X-Compere-Timestamp, X-Compere-Signature)", .body = ask_fields,
     .success = 201, .handle = cp_api_ask_webhook},
    {CP_GET, CHANNEL "/questions", CP_ROLE_OPERATOR, "What was asked, newest first", .query = questions_query,
     .success = 200, .handle = cp_api_questions_list},
    {CP_POST, CHANNEL "/questions", CP_ROLE_VIEWER, "Asks; an answer from the documents is suggested",
     .body = question_fields, .idempotent_key = true, .success = 201, .handle = cp_api_questions_create},
    {CP_GET, CHANNEL "/questions/{question}", CP_ROLE_OPERATOR, "One question", .success = 200,
     .handle = cp_api_question_get},
    {CP_PATCH, CHANNEL "/questions/{question}", CP_ROLE_OPERATOR, "Says how soon a question wants its answer",
     .body = priority_fields, .success = 200, .handle = cp_api_question_change},
    {CP_POST, CHANNEL "/questions/{question}/suggest", CP_ROLE_OPERATOR, "Looks for an answer again",
     .body = nothing_fields, .success = 200, .handle = cp_api_question_suggest},
    {CP_POST, CHANNEL "/questions/{question}/approve", CP_ROLE_OPERATOR,
     "Airs the answer, as suggested or edited", .body = approve_fields, .idempotent_key = true,
     .success = 202, .handle = cp_api_question_approve},
    {CP_POST, CHANNEL "/questions/{question}/teach", CP_ROLE_OPERATOR,
     "Keeps question and answer as a pair that answers the next who asks", .body = teach_fields,
     .success = 200, .handle = cp_api_question_teach},
    {CP_POST, CHANNEL "/questions/{question}/dismiss", CP_ROLE_OPERATOR, "Puts a question aside",
     .body = nothing_fields, .success = 200, .handle = cp_api_question_dismiss},

    {CP_PUT, CHANNEL "/lexicon", CP_ROLE_OPERATOR,
     "How the channel says words: PLS 1.0, or JSON {\"language\", \"rows\": [{\"grapheme\", \"alias\"}]}",
     .body_type = "application/pls+xml|application/xml|text/xml|application/json",
     .max_body_bytes = CP_LEXICON_MAX_BYTES, .success = 200, .handle = cp_api_lexicon_put},
    {CP_GET, CHANNEL "/lexicon", CP_ROLE_VIEWER, "The channel's lexicon, as JSON", .success = 200,
     .handle = cp_api_lexicon_get},
    {CP_DELETE, CHANNEL "/lexicon", CP_ROLE_OPERATOR, "Removes the channel's lexicon", .success = 204,
     .handle = cp_api_lexicon_delete},

    {CP_POST, CHANNEL "/whep", CP_ROLE_PUBLIC, "Starts a WebRTC viewer (WHEP)",
     .body_type = "application/sdp", .success = 201, .handle = cp_api_whep_offer},
    {CP_PATCH, CHANNEL "/whep/{session}", CP_ROLE_PUBLIC, "ICE candidates or restart of a viewer",
     .body_type = "application/trickle-ice-sdpfrag", .success = 204, .handle = cp_api_whep_patch},
    {CP_DELETE, CHANNEL "/whep/{session}", CP_ROLE_PUBLIC, "Ends a WebRTC viewer", .success = 200,
     .handle = cp_api_whep_delete},
    {CP_GET, CHANNEL "/hls/{file}", CP_ROLE_PUBLIC, "LL-HLS playlists, segments and parts", .unlimited = true,
     .success = 200, .handle = cp_api_hls},
    {CP_GET, CHANNEL "/hls/{pass}/{file}", CP_ROLE_PUBLIC,
     "The same, of a channel that needs a token: addresses as index.m3u8 gives them", .unlimited = true,
     .success = 200, .handle = cp_api_hls_passed},
    {CP_GET, CHANNEL "/viewers", CP_ROLE_OPERATOR,
     "Who watches by WebRTC: 1000 sessions at most, and how many there are", .success = 200,
     .handle = cp_api_viewers_list},
    {CP_DELETE, CHANNEL "/viewers/{viewer}", CP_ROLE_OPERATOR, "Ends a WebRTC viewer's session",
     .success = 204, .handle = cp_api_viewer_delete},
    {CP_POST, CHANNEL "/viewers/revoke", CP_ROLE_OPERATOR,
     "Ends a viewer's sessions and refuses their tokens from now on", .body = revoke_fields, .success = 200,
     .handle = cp_api_viewers_revoke},
    {CP_GET, CHANNEL "/outputs", CP_ROLE_VIEWER, "Where the channel is pushed to, with health",
     .success = 200, .handle = cp_api_outputs_list},
    {CP_POST, CHANNEL "/outputs", CP_ROLE_OPERATOR, "Pushes the channel to an ingest: RTMP, RTMPS or SRT",
     .body = output_fields, .success = 201, .handle = cp_api_outputs_create},
    {CP_GET, CHANNEL "/outputs/{output}", CP_ROLE_VIEWER, "One output", .success = 200,
     .handle = cp_api_output_get},
    {CP_PATCH, CHANNEL "/outputs/{output}", CP_ROLE_OPERATOR,
     "Changes an output; enabled starts and stops it", .body = output_patch_fields, .success = 200,
     .handle = cp_api_output_patch},
    {CP_DELETE, CHANNEL "/outputs/{output}", CP_ROLE_OPERATOR, "Ends and forgets an output", .success = 204,
     .handle = cp_api_output_delete},
    {CP_GET, "/v1/recordings", CP_ROLE_VIEWER, "The recordings of channels, newest first",
     .query = recordings_query, .success = 200, .handle = cp_api_recordings_list},
    {CP_POST, "/v1/recordings", CP_ROLE_OPERATOR, "Records a channel from now on", .body = recording_fields,
     .success = 201, .handle = cp_api_recordings_create},
    {CP_GET, "/v1/recordings/{recording}", CP_ROLE_VIEWER,
     "A recording, with the cues and rundown lines said in it", .success = 200,
     .handle = cp_api_recording_get},
    {CP_POST, "/v1/recordings/{recording}/stop", CP_ROLE_OPERATOR, "Ends a recording", .success = 200,
     .handle = cp_api_recording_stop},
    {CP_DELETE, "/v1/recordings/{recording}", CP_ROLE_OPERATOR, "Ends and removes a recording",
     .success = 204, .handle = cp_api_recording_delete},
    {CP_GET, "/v1/recordings/{recording}/video.mp4", CP_ROLE_PUBLIC,
     "The recording so far, or an item of it, as fragmented MP4, for a viewer's key or a signed address; "
     "ranges",
     .query = video_query, .success = 200, .handle = cp_api_recording_video},
    {CP_POST, "/v1/recordings/{recording}/url", CP_ROLE_OPERATOR,
     "An address at which anybody may fetch the video for a while", .body = recording_url_fields,
     .success = 200, .handle = cp_api_recording_url},
    {CP_GET, CHANNEL "/snapshot.png", CP_ROLE_VIEWER, "The picture now", .query = snapshot_query,
     .success = 200, .handle = cp_api_snapshot},
    {CP_GET, CHANNEL "/stats", CP_ROLE_VIEWER, "Frame rate, steps, queues, viewers", .success = 200,
     .handle = cp_api_stats},
    {CP_GET, CHANNEL "/captions", CP_ROLE_PUBLIC, "What is said, sentence by sentence (server-sent events)",
     .success = 200, .handle = cp_api_captions},
    {CP_GET, "/v1/events", CP_ROLE_VIEWER, "What happens (server-sent events)", .query = events_query,
     .success = 200, .handle = cp_api_events},

    {CP_POST, "/v1/speech", CP_ROLE_OPERATOR, "Makes a voice file with marks", .body = speech_fields,
     .max_body_bytes = 256 << 10, .idempotent_key = true, .success = 201, .handle = cp_api_speech_create},
    {CP_POST, "/v1/speech/recordings", CP_ROLE_OPERATOR,
     "Makes a voice file of a recording (WAV, MP3, Ogg, M4A; two minutes), with lips by its text or its "
     "sound",
     .body_type = "*/*", .query = recording_query, .max_body_bytes = CP_RECORDING_MAX_BYTES, .success = 201,
     .handle = cp_api_speech_recording},
    {CP_GET, "/v1/speech", CP_ROLE_VIEWER, "The voice files, newest first", .query = speech_query,
     .success = 200, .handle = cp_api_speech_list},
    {CP_GET, "/v1/speech/{speech}", CP_ROLE_VIEWER, "A voice file's record", .success = 200,
     .handle = cp_api_speech_get},
    {CP_DELETE, "/v1/speech/{speech}", CP_ROLE_OPERATOR, "Removes a voice file", .success = 204,
     .handle = cp_api_speech_delete},
    {CP_GET, "/v1/speech/{speech}/audio", CP_ROLE_PUBLIC,
     "The sound, for a viewer's key or a signed address: WAV, Ogg/Opus or MP3 by format or Accept; ranges",
     .query = audio_query, .success = 200, .handle = cp_api_speech_audio},
    {CP_POST, "/v1/speech/{speech}/url", CP_ROLE_OPERATOR,
     "An address at which anybody may fetch the sound for a while", .body = url_fields, .success = 200,
     .handle = cp_api_speech_url},
    {CP_GET, "/v1/speech/{speech}/marks", CP_ROLE_VIEWER, "The marks, as JSON lines", .success = 200,
     .handle = cp_api_speech_marks},

    {CP_GET, "/v1/documents", CP_ROLE_VIEWER, "The knowledge base's documents, newest first",
     .query = documents_query, .success = 200, .handle = cp_api_documents_list},
    {CP_POST, "/v1/documents", CP_ROLE_OPERATOR,
     "Reads a document (text, Markdown, HTML, PDF, Word, or a CSV of questions and answers) and cuts it into "
     "passages",
     .body_type = "*/*", .query = document_query, .max_body_bytes = 32 << 20, .success = 201,
     .handle = cp_api_documents_create},
    {CP_GET, "/v1/document-jobs", CP_ROLE_OPERATOR, "Lists of web pages that are being read, newest first",
     .success = 200, .handle = cp_api_jobs_list},
    {CP_GET, "/v1/document-jobs/{job}", CP_ROLE_OPERATOR, "What became of a list of web pages",
     .success = 200, .handle = cp_api_job_get},
    {CP_GET, "/v1/documents/{document}", CP_ROLE_VIEWER, "A document's record", .success = 200,
     .handle = cp_api_document_get},
    {CP_GET, "/v1/documents/{document}/passages", CP_ROLE_VIEWER, "A document's passages", .success = 200,
     .handle = cp_api_document_passages},
    {CP_PATCH, "/v1/documents/{document}/passages/{passage}", CP_ROLE_OPERATOR,
     "Changes a passage by hand, until the document is replaced", .body = passage_fields, .success = 200,
     .handle = cp_api_passage_change},
    {CP_DELETE, "/v1/documents/{document}/passages/{passage}", CP_ROLE_OPERATOR, "Removes a passage",
     .success = 204, .handle = cp_api_passage_delete},
    {CP_PATCH, "/v1/documents/{document}", CP_ROLE_OPERATOR, "Sets how much a document counts",
     .body = boost_fields, .success = 200, .handle = cp_api_document_change},
    {CP_GET, "/v1/collections", CP_ROLE_OPERATOR, "The collections, with what is set for them",
     .success = 200, .handle = cp_api_collections_list},
    {CP_PATCH, "/v1/collections/{collection}", CP_ROLE_OPERATOR,
     "Sets a collection's threshold, synonyms and pins", .body = collection_fields,
     .max_body_bytes = 128 << 10, .success = 200, .handle = cp_api_collection_change},
    {CP_DELETE, "/v1/documents/{document}", CP_ROLE_OPERATOR, "Removes a document and every trace of it",
     .success = 204, .handle = cp_api_document_delete},
    {CP_POST, "/v1/search", CP_ROLE_OPERATOR, "Searches the documents, and explains the scores",
     .body = search_fields, .success = 200, .handle = cp_api_search},
    {CP_POST, "/v1/evaluations", CP_ROLE_OPERATOR,
     "Searches for a set of questions (JSON lines or a table) and says how many it answers rightly",
     .body_type = "*/*", .query = evaluation_query, .max_body_bytes = 4 << 20, .success = 200,
     .handle = cp_api_evaluate},

    {CP_POST, "/v1/audio/speech", CP_ROLE_OPERATOR,
     "OpenAI's shape: answers with the sound, sentence by sentence while it is spoken",
     .body = audio_speech_fields, .max_body_bytes = 256 << 10, .success = 200, .handle = cp_api_audio_speech},

    {CP_GET, "/v1/keys", CP_ROLE_ADMIN, "The keys, without their secrets", .success = 200,
     .handle = cp_api_keys_list},
    {CP_POST, "/v1/keys", CP_ROLE_ADMIN, "Makes a key; it is shown this once", .body = key_fields,
     .success = 201, .handle = cp_api_keys_create},
    {CP_DELETE, "/v1/keys/{key}", CP_ROLE_ADMIN, "Revokes a key", .success = 204,
     .handle = cp_api_key_delete},
    {CP_GET, "/v1/playback-keys", CP_ROLE_ADMIN, "The public keys by which playback tokens are believed",
     .success = 200, .handle = cp_api_playback_keys_list},
    {CP_POST, "/v1/playback-keys", CP_ROLE_ADMIN,
     "Makes a key pair for playback tokens, whose private key is shown this once; or takes a public key",
     .body = playback_key_fields, .success = 201, .handle = cp_api_playback_keys_create},
    {CP_DELETE, "/v1/playback-keys/{key}", CP_ROLE_ADMIN, "Believes no token of this key any more",
     .success = 204, .handle = cp_api_playback_key_delete},
};
const size_t cp_api_n_routes = sizeof cp_api_routes / sizeof cp_api_routes[0];
