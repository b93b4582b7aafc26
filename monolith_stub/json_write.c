#include "monolith_stub/json_write.h"

#include <string.h>
#include <time.h>

void json_write_string(struct text *out, const char *prefix, const char *value)
{
    json_write_view(out, prefix, (struct text_view){value, strlen(value)});
}

void json_write_view(struct text *out, const char *prefix, struct text_view value)
{
    text_append_string(out, prefix);
    text_append_json(out, value.bytes, value.length);
}

void json_write_integer(struct text *out, const char *prefix, int64_t value)
{
    text_append_string(out, prefix);
    text_append_integer(out, value);
}

void text_append_time(struct text *out, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    char room[40];
    if (gmtime_r(&seconds, &parts) != NULL &&
        strftime(room, sizeof(room), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        text_append_string(out, room);
}

void json_write_time(struct text *out, const char *prefix, int64_t time_ms)
{
    text_append_string(out, prefix);
    text_append_string(out, "\"");
    text_append_time(out, time_ms);
    text_append_string(out, "\"");
}
