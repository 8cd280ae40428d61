/* What remote engines say of their sound: foreign bytes, made into events of a struct cp_sound. */
#ifndef CP_SPEECH_REMOTE_MARKS_H
#define CP_SPEECH_REMOTE_MARKS_H

#include "speech/speech_provider.h"

/*
 * Amazon Polly's speech marks: JSON objects by lines ("Speech mark output", Amazon Polly developer guide),
 * words and visemes by their start in ms. `origin` maps the n_origin bytes of the text that was sent (SSML,
 * or the text itself when NULL) to the piece's; marks outside it are left out. A viseme becomes a phone of
 * its class in IPA, so that all that follows knows it ("Viseme table", same guide). CP_ERR_FORMAT when a line
 * is no JSON.
 */
int cp_polly_read_marks(const char *lines, size_t length, const int32_t *origin, size_t n_origin,
                        struct cp_sound *sound);

/*
 * Azure's "audio.metadata": {"Metadata": [{"Type", "Data"}]} with times in units of 100 ns ("Get facial
 * position with viseme", Microsoft Learn, has the 22 visemes; the rest as Microsoft's SDK reads it). Adds
 * visemes, as phones that look like them, and words, which are sought in the text from byte *at on.
 * CP_ERR_FORMAT when it is no JSON.
 */
int cp_azure_add_metadata(const char *json, size_t json_length, const char *text, size_t text_length,
                          size_t *at, struct cp_sound *sound);
/* Puts them in order when all have come. */
void cp_azure_end_metadata(struct cp_sound *sound);

/*
 * ElevenLabs' answer of ".../with-timestamps": {"audio_base64", "alignment": {"characters",
 * "character_start_times_seconds", "character_end_times_seconds"}}. The sound is bare 16-bit samples of
 * sound->hz; the characters give words. CP_ERR_FORMAT when there is no sound in it.
 */
int cp_elevenlabs_read(const char *json, size_t json_length, const char *text, size_t text_length,
                       struct cp_sound *sound);

#endif
