/* Files made of a channel: H.264 + AAC packets -> MP4, by libavformat. */
#ifndef CP_RECORD_H
#define CP_RECORD_H

#include "base/error.h"
#include "media/packet.h"

struct cp_record_file;

/* The container goes by the name's ending: .mp4. CP_ERR_IO says why the file cannot be made. */
int cp_record_open(const char *path, int width, int height, const uint8_t *aac_extradata,
                   int aac_extradata_bytes, struct cp_record_file **ret_file, struct cp_error *error);
/* Packets of each codec in order. Waits for the first key frame. One thread. */
int cp_record_write(struct cp_record_file *file, const struct cp_packet *packet, struct cp_error *error);
/* Finishes and frees the file; a failure to write the end is told. NULL is fine. */
int cp_record_close(struct cp_record_file *file, struct cp_error *error);

#endif
