#include "proxy/compare/path_pattern.h"

struct pattern_reader {
    struct strview text;
    size_t at;
    const char *fault;
};

static bool reader_fails(struct pattern_reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

static bool take_char(struct pattern_reader *reader, char c)
{
    if (reader->at >= reader->text.length || reader->text.data[reader->at] != c)
        return false;
    reader->at++;
    return true;
}

static bool ends_name(char c)
{
    return c == '.' || c == '[' || c == ']' || c == '\'' || c == '"' || c == ' ';
}

static bool read_bare_name(struct pattern_reader *reader, struct path_step *step)
{
    size_t begin = reader->at;
    if (take_char(reader, '*')) {
        step->any = true;
        return true;
    }
    while (reader->at < reader->text.length && !ends_name(reader->text.data[reader->at]))
        reader->at++;
    step->name = strview_make(reader->text.data + begin, reader->at - begin);
    return step->name.length > 0 || reader_fails(reader, "a name is missing");
}

static bool read_index(struct pattern_reader *reader, struct path_step *step)
{
    size_t begin = reader->at;
    uint64_t number;
    while (reader->at < reader->text.length && reader->text.data[reader->at] >= '0' &&
           reader->text.data[reader->at] <= '9')
        reader->at++;
    struct strview digits = strview_make(reader->text.data + begin, reader->at - begin);
    if (!strview_to_u64(digits, UINT32_MAX, &number))
        return reader_fails(reader, "an index, \"*\" or a quoted name is missing");
    step->index = true;
    step->number = (uint32_t)number;
    return true;
}

static bool read_quoted_name(struct pattern_reader *reader, char quote, struct path_step *step)
{
    struct strview rest = strview_from(reader->text, reader->at);
    size_t length = strview_find(rest, quote);
    if (length == rest.length)
        return reader_fails(reader, "the quote is not closed");
    step->name = strview_make(rest.data, length);
    reader->at += length + 1;
    return true;
}

static bool read_bracket(struct pattern_reader *reader, struct path_step *step)
{
    bool good;
    if (take_char(reader, '*')) {
        step->any = true;
        good = true;
    } else if (take_char(reader, '\'')) {
        good = read_quoted_name(reader, '\'', step);
    } else if (take_char(reader, '"')) {
        good = read_quoted_name(reader, '"', step);
    } else {
        good = read_index(reader, step);
    }
    return good && (take_char(reader, ']') || reader_fails(reader, "\"]\" is missing"));
}

static bool read_step(struct pattern_reader *reader, struct path_step *step)
{
    *step = (struct path_step){.name = STRVIEW_NONE};
    if (take_char(reader, '['))
        return read_bracket(reader, step);
    if (!take_char(reader, '.'))
        return reader_fails(reader, "\".\", \"..\" or \"[\" is expected");
    step->deep = take_char(reader, '.');
    if (step->deep && take_char(reader, '['))
        return read_bracket(reader, step);
    return read_bare_name(reader, step);
}

static bool read_pattern(struct pattern_reader *reader, struct path_pattern *pattern)
{
    if (!take_char(reader, '$'))
        return reader_fails(reader, "a path begins with \"$\"");
    while (reader->at < reader->text.length) {
        if (pattern->count == PATH_PATTERN_STEPS_MAX)
            return reader_fails(reader, "more than 24 steps");
        if (!read_step(reader, &pattern->steps[pattern->count]))
            return false;
        pattern->count++;
    }
    return pattern->count > 0 || reader_fails(reader, "a path names something below \"$\"");
}

bool path_pattern_compile(struct strview text, struct path_pattern *ret_pattern,
                          const char **ret_fault, size_t *ret_offset)
{
    struct pattern_reader reader = {.text = text};
    struct path_pattern pattern = {.count = 0};
    if (!read_pattern(&reader, &pattern)) {
        *ret_fault = reader.fault;
        *ret_offset = reader.at;
        return false;
    }
    *ret_pattern = pattern;
    return true;
}

void path_cursor_init(struct path_cursor *cursor, const struct path_pattern_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        cursor->taken[i] = 1;
}

struct place {
    bool is_element;
    uint32_t index;
    struct strview name;
};

static bool step_takes(const struct path_step *step, const struct place *place)
{
    if (step->any)
        return true;
    if (place->is_element)
        return step->index && step->number == place->index;
    return !step->index && strview_equal(step->name, place->name);
}

static uint32_t advance(const struct path_pattern *pattern, uint32_t taken,
                        const struct place *place)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < pattern->count; i++) {
        if ((taken & (UINT32_C(1) << i)) == 0)
            continue;
        if (pattern->steps[i].deep)
            next |= UINT32_C(1) << i;
        if (step_takes(&pattern->steps[i], place))
            next |= UINT32_C(1) << (i + 1);
    }
    return next;
}

static bool enter(const struct path_pattern_list *list, const struct path_cursor *from,
                  const struct place *place, struct path_cursor *ret_to)
{
    bool matches = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct path_pattern *pattern = &list->items[i];
        ret_to->taken[i] = advance(pattern, from->taken[i], place);
        matches = matches || (ret_to->taken[i] & (UINT32_C(1) << pattern->count)) != 0;
    }
    return matches;
}

bool path_cursor_enter_member(const struct path_pattern_list *list, const struct path_cursor *from,
                              struct strview name, struct path_cursor *ret_to)
{
    const struct place place = {.name = name};
    return enter(list, from, &place, ret_to);
}

bool path_cursor_enter_element(const struct path_pattern_list *list, const struct path_cursor *from,
                               uint32_t index, struct path_cursor *ret_to)
{
    const struct place place = {.is_element = true, .index = index};
    return enter(list, from, &place, ret_to);
}
