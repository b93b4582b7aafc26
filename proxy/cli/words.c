#include "proxy/cli/words.h"

#include <stdio.h>
#include <time.h>

#include "proxy/cli/ask.h"

void words_time(const char *text, char ret_text[static WORDS_TIME_BYTES])
{
    struct tm parts = {.tm_isdst = 0};
    struct tm local;
    if (strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) != NULL) {
        time_t seconds = timegm(&parts);
        if (localtime_r(&seconds, &local) != NULL &&
            strftime(ret_text, WORDS_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &local) > 0)
            return;
    }
    snprintf(ret_text, WORDS_TIME_BYTES, "%s", text);
}

void words_value(const json_t *value, char ret_text[static WORDS_VALUE_BYTES])
{
    if (json_is_string(value))
        words_time(json_string_value(value), ret_text);
    else if (json_is_number(value))
        snprintf(ret_text, WORDS_VALUE_BYTES, "%.10g", json_number_value(value));
    else if (json_is_boolean(value))
        snprintf(ret_text, WORDS_VALUE_BYTES, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(ret_text, WORDS_VALUE_BYTES, "none");
}

void words_note(const json_t *note, char ret_text[static WORDS_NOTE_BYTES])
{
    char when[WORDS_TIME_BYTES];
    const char *why = answer_text(note, "why");
    const char *who = answer_text(note, "who");
    const char *since = answer_text(note, "since"); /* of what goes on */
    words_time(since[0] != '\0' ? since : answer_text(note, "at"), when);
    snprintf(ret_text, WORDS_NOTE_BYTES, "by %s at %s%s%s", who[0] != '\0' ? who : "somebody", when,
             why[0] != '\0' ? ": " : "", why);
}
