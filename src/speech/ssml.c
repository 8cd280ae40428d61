#include "speech/script.h"
int cp_script_read_ssml(const char *ssml, size_t max_bytes, struct cp_script *ret_script,
                        struct cp_error *error)
{
    return cp_fail(error, CP_ERR_UNSUPPORTED, "speech", "SSML is not read yet; send plain text.");
}
