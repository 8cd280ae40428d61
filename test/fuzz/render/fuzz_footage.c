/* Any bytes as an uploaded picture or video: what it is, then decoded, and its first frames shown. */
#include "app/sniff.h"
#include "render/render.h"
#include "render/scenery.h"

#include <stdlib.h>

/* Making I420 of a fitted frame is not what is tested; without it the kernels need not be built. */
const struct kernels *cp_render_best_kernels(void)
{
    return NULL;
}

void cp_render_convert(const struct kernels *kernels, const uint32_t *rgb, int rgb_stride,
                       uint8_t *const plane[3], const int stride[3], int width, int height)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cp_footage_spec spec = {.width = 64, .height = 36, .matte = size % 2 ? 0xffffff : 0};
    struct cp_footage *footage = NULL;
    struct cp_error error = {.text = ""};
    cp_render_route_libav_log();
    struct cp_sniffed found = cp_sniff(data, size);
    if (found.type && !found.ending)
        abort();
    if (size > 1 << 20 || found.width > 2048 || found.height > 2048)
        return 0; /* bounds of the server's, which only cost the fuzzer time here */
    if (cp_footage_open(data, size, &spec, &footage, &error)) {
        if (!*error.text)
            abort(); /* a refusal has a reason */
        return 0;
    }
    for (int frame = 0; frame < 3; frame++) {
        const struct footage_frame *shown = cp_footage_frame(footage, frame * CP_SAMPLES_PER_FRAME);
        for (int i = 0; shown && i < 64 * 36; i++)
            if (shown->rgb[i] >> 30)
                abort(); /* ten bits each */
    }
    cp_ref_drop(footage);
    return 0;
}
