/* Inside the app: the handlers behind the route table, by what they are about. Each is `void f(void *app,
 * request)`. */
#ifndef CP_APP_API_H
#define CP_APP_API_H

#include "app/app.h"

#define CP_HANDLER(name) void name(void *user, struct cp_request *request)

/* The error, or the body (stolen) with the status. */
static inline void cp_api_answer(struct cp_request *request, int result, int status, json_t *body,
                                 const struct cp_error *error)
{
    if (result)
        cp_request_fail(request, error);
    else
        cp_request_reply_json(request, status, body);
}

/* api_channels.c */
CP_HANDLER(cp_api_channels_list);
CP_HANDLER(cp_api_channels_create);
CP_HANDLER(cp_api_channel_get);
CP_HANDLER(cp_api_channel_patch);
CP_HANDLER(cp_api_channel_delete);
CP_HANDLER(cp_api_cues_list);
CP_HANDLER(cp_api_cues_create);
CP_HANDLER(cp_api_cue_get);
CP_HANDLER(cp_api_cue_patch);
CP_HANDLER(cp_api_cue_delete);
CP_HANDLER(cp_api_cue_play);
CP_HANDLER(cp_api_interrupt);

/* lexicons.c */
CP_HANDLER(cp_api_lexicon_put);
CP_HANDLER(cp_api_lexicon_get);
CP_HANDLER(cp_api_lexicon_delete);

/* api_media.c */
CP_HANDLER(cp_api_whep_offer);
CP_HANDLER(cp_api_whep_patch);
CP_HANDLER(cp_api_whep_delete);
CP_HANDLER(cp_api_hls);
CP_HANDLER(cp_api_snapshot);
CP_HANDLER(cp_api_stats);
CP_HANDLER(cp_api_events);
CP_HANDLER(cp_api_captions);
CP_HANDLER(cp_api_hls_passed);

/* access/api_access.c */
CP_HANDLER(cp_api_playback_keys_list);
CP_HANDLER(cp_api_playback_keys_create);
CP_HANDLER(cp_api_playback_key_delete);
CP_HANDLER(cp_api_viewers_list);
CP_HANDLER(cp_api_viewer_delete);
CP_HANDLER(cp_api_viewers_revoke);

/* api_outputs.c */
CP_HANDLER(cp_api_outputs_list);
CP_HANDLER(cp_api_outputs_create);
CP_HANDLER(cp_api_output_get);
CP_HANDLER(cp_api_output_patch);
CP_HANDLER(cp_api_output_delete);

/* recordings/api_recordings.c */
CP_HANDLER(cp_api_recordings_list);
CP_HANDLER(cp_api_recordings_create);
CP_HANDLER(cp_api_recording_get);
CP_HANDLER(cp_api_recording_stop);
CP_HANDLER(cp_api_recording_delete);
CP_HANDLER(cp_api_recording_video);
CP_HANDLER(cp_api_recording_url);

/* api_assets.c */
CP_HANDLER(cp_api_avatars_list);
CP_HANDLER(cp_api_avatars_create);
CP_HANDLER(cp_api_avatar_get);
CP_HANDLER(cp_api_avatar_delete);
CP_HANDLER(cp_api_media_list);
CP_HANDLER(cp_api_media_create);
CP_HANDLER(cp_api_media_get);
CP_HANDLER(cp_api_media_content);
CP_HANDLER(cp_api_media_thumbnail);
CP_HANDLER(cp_api_media_delete);
CP_HANDLER(cp_api_portrait);
CP_HANDLER(cp_api_actions_create);
CP_HANDLER(cp_api_action_delete);

/* api_answers.c */
CP_HANDLER(cp_api_documents_create);
CP_HANDLER(cp_api_documents_list);
CP_HANDLER(cp_api_jobs_list);
CP_HANDLER(cp_api_job_get);
CP_HANDLER(cp_api_document_change);
CP_HANDLER(cp_api_passage_change);
CP_HANDLER(cp_api_passage_delete);
CP_HANDLER(cp_api_collections_list);
CP_HANDLER(cp_api_collection_change);
CP_HANDLER(cp_api_document_get);
CP_HANDLER(cp_api_document_passages);
CP_HANDLER(cp_api_document_delete);
CP_HANDLER(cp_api_search);
CP_HANDLER(cp_api_questions_create);
CP_HANDLER(cp_api_questions_list);
CP_HANDLER(cp_api_question_get);
CP_HANDLER(cp_api_question_change);
CP_HANDLER(cp_api_question_suggest);
CP_HANDLER(cp_api_question_approve);
CP_HANDLER(cp_api_evaluate);
CP_HANDLER(cp_api_question_dismiss);
CP_HANDLER(cp_api_question_teach);

/* api_speech.c */
CP_HANDLER(cp_api_speech_create);
CP_HANDLER(cp_api_speech_recording);
CP_HANDLER(cp_api_speech_list);
CP_HANDLER(cp_api_speech_get);
CP_HANDLER(cp_api_speech_url);
CP_HANDLER(cp_api_speech_delete);
CP_HANDLER(cp_api_speech_audio);
CP_HANDLER(cp_api_speech_marks);

/* audio_speech.c */
CP_HANDLER(cp_api_audio_speech);

/* api_server.c */
CP_HANDLER(cp_api_health);
CP_HANDLER(cp_api_ready);
CP_HANDLER(cp_api_metrics);
CP_HANDLER(cp_api_openapi);
CP_HANDLER(cp_api_presenters);
CP_HANDLER(cp_api_voices);
CP_HANDLER(cp_api_styles);
CP_HANDLER(cp_api_sets);
CP_HANDLER(cp_api_actions);
CP_HANDLER(cp_api_keys_list);
CP_HANDLER(cp_api_keys_create);
CP_HANDLER(cp_api_key_delete);

#endif
