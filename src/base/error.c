#include "base/error.h"

#include <stdio.h>

const char *cp_err_name(int code)
{
    switch ((enum cp_err)code) {
    case CP_OK:
        return "ok";
    case CP_ERR_INVALID:
        return "invalid request";
    case CP_ERR_NOT_FOUND:
        return "not found";
    case CP_ERR_EXISTS:
        return "conflict";
    case CP_ERR_DENIED:
        return "not allowed";
    case CP_ERR_UNAUTHORIZED:
        return "not signed in";
    case CP_ERR_LIMIT:
        return "too large";
    case CP_ERR_BUSY:
        return "busy";
    case CP_ERR_UNSUPPORTED:
        return "not supported";
    case CP_ERR_TIMEOUT:
        return "timed out";
    case CP_ERR_CANCELLED:
        return "cancelled";
    case CP_ERR_IO:
        return "input/output failed";
    case CP_ERR_NOMEM:
        return "out of memory";
    case CP_ERR_FORMAT:
        return "malformed data";
    case CP_ERR_UNAVAILABLE:
        return "unavailable";
    case CP_ERR_INTERNAL:
        return "internal error";
    }
    return "unknown error";
}

void cp_error_set(struct cp_error *error, enum cp_err code, const char *stage, const char *format, ...)
{
    if (!error)
        return;
    error->code = code;
    snprintf(error->stage, sizeof error->stage, "%s", stage);
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
}
