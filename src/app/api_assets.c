/* Uploaded avatars, media and motions, and the presenters' portraits. */
#include "app/api.h"

static void list(struct cp_app *app, struct cp_request *request, enum cp_asset_kind kind, const char *name)
{
    struct cp_error error;
    json_t *assets;
    if (cp_asset_list(app->store, kind, &assets, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, json_pack("{s:o}", name, assets));
}

static void create(struct cp_app *app, struct cp_request *request, enum cp_asset_kind kind)
{
    const char *name = cp_request_query(request, "name");
    cp_assets_upload(app->assets, kind, name ? name : "", request);
}

static void get(struct cp_app *app, struct cp_request *request, enum cp_asset_kind kind, const char *id)
{
    struct cp_error error;
    json_t *asset;
    if (cp_asset_get(app->store, kind, id, &asset, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 200, asset);
}

static void delete_asset(struct cp_app *app, struct cp_request *request, enum cp_asset_kind kind,
                         const char *id)
{
    struct cp_error error;
    if (cp_asset_delete(app, kind, id, &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 204, NULL);
}

void cp_api_avatars_list(void *user, struct cp_request *request)
{
    list(user, request, CP_ASSET_AVATAR, "avatars");
}

void cp_api_avatars_create(void *user, struct cp_request *request)
{
    create(user, request, CP_ASSET_AVATAR);
}

void cp_api_avatar_get(void *user, struct cp_request *request)
{
    get(user, request, CP_ASSET_AVATAR, cp_request_param(request, "avatar"));
}

void cp_api_avatar_delete(void *user, struct cp_request *request)
{
    delete_asset(user, request, CP_ASSET_AVATAR, cp_request_param(request, "avatar"));
}

void cp_api_media_list(void *user, struct cp_request *request)
{
    list(user, request, CP_ASSET_MEDIA, "media");
}

void cp_api_media_create(void *user, struct cp_request *request)
{
    create(user, request, CP_ASSET_MEDIA);
}

void cp_api_media_get(void *user, struct cp_request *request)
{
    get(user, request, CP_ASSET_MEDIA, cp_request_param(request, "media"));
}

void cp_api_media_content(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    char type[64];
    if (cp_asset_read(app->store, CP_ASSET_MEDIA, cp_request_param(request, "media"), &bytes, type, &error)) {
        cp_request_fail(request, &error);
    } else {
        cp_request_add_header(request, "Cache-Control", "private, max-age=86400, immutable");
        cp_request_reply_bytes(request, 200, type, bytes.data, bytes.length);
    }
    cp_buffer_free(&bytes);
}

void cp_api_media_thumbnail(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    cp_assets_thumbnail(app->assets, cp_request_param(request, "media"), request);
}

void cp_api_media_delete(void *user, struct cp_request *request)
{
    delete_asset(user, request, CP_ASSET_MEDIA, cp_request_param(request, "media"));
}

void cp_api_portrait(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    cp_assets_portrait(app->assets, cp_request_param(request, "presenter"), request);
}

void cp_api_actions_create(void *user, struct cp_request *request)
{
    create(user, request, CP_ASSET_MOTION);
}

void cp_api_action_delete(void *user, struct cp_request *request)
{
    delete_asset(user, request, CP_ASSET_MOTION, cp_request_param(request, "action"));
}
