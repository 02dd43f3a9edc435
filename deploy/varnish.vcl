# Varnish (7) as a cache before a Headrace origin or edge:
#
#     varnishd -a :8080 -f /etc/varnish/varnish.vcl -s malloc,16g

vcl 4.1;

backend headrace {
    .host = "127.0.0.1";
    .port = "8081";
    .connect_timeout = 2s;
    .first_byte_timeout = 30s;
}

sub vcl_recv {
    # What else there is would be piped: the client alone with the origin.
    if (req.method !~ "^(GET|HEAD|OPTIONS)$") {
        return (synth(405));
    }
    # Nothing here depends on a cookie, and Varnish passes requests that bring one.
    unset req.http.Cookie;
}

sub vcl_backend_response {
    # Lifetimes, stale-while-revalidate and no-store are taken from Cache-Control.
    if (beresp.status >= 400) {
        # An error is over when its max-age is: no grace for it.
        set beresp.grace = 0s;
    } else {
        # Long after it is still there to be asked about by its ETag.
        set beresp.keep = 1d;
    }
    if (beresp.status >= 500 && bereq.is_bgfetch) {
        # Do not let an error take the place of what is stale but good.
        return (abandon);
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
