#include "proxy/http/http_date.h"

#include <time.h>

struct strview http_date_at(struct http_date *date, uint64_t unix_ms)
{
    uint64_t second = unix_ms / 1000;
    if (second != date->second || date->text[0] == '\0') {
        time_t seconds = (time_t)second;
        struct tm parts;
        gmtime_r(&seconds, &parts);
        /* Nobody sets a locale, so the names are English. */
        strftime(date->text, sizeof(date->text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date->second = second;
    }
    return strview_make(date->text, HTTP_DATE_BYTES);
}
