#include "extracted/service_kit/face.h"

#include <string.h>
#include <strings.h>

#include "extracted/service_kit/page.h"
#include "extracted/service_kit/problem.h"

enum face { FACE_PLAIN, FACE_JSON, FACE_PAGES };

static bool is_below(struct http_view path, const char *folder)
{
    size_t length = strlen(folder);
    return path.length > length && strncasecmp(path.bytes, folder, length) == 0 &&
           path.bytes[length] == '/';
}

static enum face face_of(struct http_view path)
{
    if (is_below(path, "/api/2.0") || is_below(path, "/internal"))
        return FACE_JSON;
    return is_below(path, "/forum") ? FACE_PAGES : FACE_PLAIN;
}

static bool is_plain_text(const struct http_reply *reply)
{
    static const char plain[] = "text/plain";
    return reply->content_type != NULL && strncmp(reply->content_type, plain, strlen(plain)) == 0;
}

static const char *title_of(unsigned status)
{
    switch (status) {
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

void face_translate_fault(const struct http_request *request, struct http_reply *reply)
{
    struct page page = {.request = request, .reply = reply, .body = &reply->body};
    unsigned status = reply->status;
    if (status < 400 || !is_plain_text(reply))
        return;
    switch (face_of(request->path)) {
    case FACE_PLAIN:
        break;
    case FACE_JSON:
        problem_reply(reply, &(struct problem){.status = status, .title = title_of(status)});
        break;
    case FACE_PAGES:
        page_reply_status(&page, status);
        break;
    }
    if (status == 503)
        http_reply_add_field(reply, "retry-after", "1");
}
