# Compere behind Varnish as a cache for LL-HLS: varnishd -a :80 -f compere.vcl -s malloc,1g
vcl 4.1;

import std;

backend compere {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 2s;
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 60s; # events and captions have a heartbeat every 15 s
}

sub vcl_recv {
    if (req.http.Upgrade) {
        return (pipe);
    }
    # Pages and the API are passed on as they are, never kept.
    if ((req.method != "GET" && req.method != "HEAD") || req.url !~ "^/v1/channels/[A-Za-z0-9_-]+/hls/[A-Za-z0-9._-]+(\?|$)") {
        return (pass);
    }
    # A playback token is its viewer's own; behind it, files have addresses of their own (docs/access.md).
    if (req.url ~ "[?&]token=") {
        return (pass);
    }
    # Of a viewer's query only the directives of LL-HLS count, in one order.
    unset req.http.Authorization;
    unset req.http.Cookie;
    if (req.url ~ "^[^?]+\.m3u8") {
        set req.url = regsuball(req.url, "(?<=[?&])(?!_HLS_(?:msn|part|skip)=)[^&]*(?:&|$)", "");
        set req.url = std.querysort(regsub(req.url, "[?&]+$", ""));
    } else {
        set req.url = regsub(req.url, "\?.*$", "");
    }
    return (hash);
}

sub vcl_hash {
    # Under whatever name the viewers know this host.
    hash_data(req.url);
    return (lookup);
}

sub vcl_pipe {
    set bereq.http.Connection = req.http.Connection;
    set bereq.http.Upgrade = req.http.Upgrade;
    return (pipe);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    # Equal requests wait for the first one's answer, also those that wait for a part to be made. Nothing is marked
    # as uncacheable: that would let all of them through the next time (hit-for-miss).
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (beresp.status != 200) {
        set beresp.ttl = 0.1s; # what is not there yet may be the next part
    } else if (bereq.url ~ "\.m3u8" && bereq.url !~ "_HLS_msn=") {
        set beresp.ttl = 0.1s;
    } else if (bereq.url ~ "\.m3u8") {
        set beresp.ttl = 0.2s; # who is later than a part (hls.part_s) gets a newer one
    } else if (beresp.http.Cache-Control ~ "immutable") {
        set beresp.ttl = 1d;
    }
    return (deliver);
}

sub vcl_backend_error {
    if (!bereq.uncacheable) {
        set beresp.ttl = 0.1s;
        set beresp.grace = 0s;
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    unset resp.http.X-Varnish;
    unset resp.http.Via;
}
