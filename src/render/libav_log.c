/* What libav has to say about damaged files goes to our log, where it is heard at debug level. */
#include "render/render.h"

#include "base/log.h"
#include "base/thread.h"

#include <libavutil/log.h>

#include <stdio.h>
#include <string.h>

/* Any thread of libav. Messages come in parts; a part of a line is told as a line. */
static void tell(void *context, int level, const char *format, va_list args)
{
    char text[400];
    int prefix = 1;
    if (level > AV_LOG_INFO || cp_thread_is("push"))
        return; /* what is said of a push may name its stream key */
    av_log_format_line2(context, level, format, args, text, sizeof text, &prefix);
    for (char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 32)
            *c = ' ';
    if (text[strspn(text, " ")])
        cp_log(CP_LOG_DEBUG, "libav", "message", "text=\"%s\"", text);
}

void cp_render_route_libav_log(void)
{
    av_log_set_callback(tell);
}
