#include "proxy/config/settings_read.h"

static bool text_of(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                    struct strview *ret_text)
{
    if (!read_expect(reader, cursor, row, KIND_BIT(SOURCE_TEXT)))
        return false;
    struct strview text = read_text_of(reader, cursor);
    if (text.length == 0) {
        read_fault(reader, cursor, "empty-text", row, "the text is empty");
        return false;
    }
    *ret_text = text;
    return true;
}

void read_text(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    struct text_setting *setting = target;
    text_of(reader, cursor, row, &setting->text);
}

void read_text_list(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                    void *target)
{
    struct text_list_setting *list = target;
    if (!read_expect(reader, cursor, row, KINDS_MANY))
        return;
    size_t count = cursor->node->child_count;
    list->items = arena_zalloc(&reader->settings->arena, count * sizeof(*list->items));
    unsigned index = 0;
    for (const struct source_node *node = cursor->node->first_child; node; node = node->next) {
        struct cursor child = cursor_child(cursor, index++, node);
        struct text_setting *item = &list->items[list->count];
        item->node = node;
        if (text_of(reader, &child, row, &item->text))
            list->count++;
    }
}

void read_token(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                void *target)
{
    struct text_setting *setting = target;
    if (text_of(reader, cursor, row, &setting->text) && !header_name_is_token(setting->text))
        read_fault(reader, cursor, "bad-value", row,
                   "a name here is made of letters, digits and !#$%&'*+-.^_`|~");
}

void read_path(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
               void *target)
{
    struct text_setting *setting = target;
    struct strview path;
    if (!text_of(reader, cursor, row, &path))
        return;
    struct strview folder = cursor->node->source->folder;
    if (path.data[0] == '/')
        setting->text = path;
    else
        setting->text = arena_printf(&reader->settings->arena, "%.*s%.*s", STRVIEW_ARGS(folder),
                                     STRVIEW_ARGS(path));
}

void read_log_path(struct reader *reader, const struct cursor *cursor, const struct key_row *row,
                   void *target)
{
    struct text_setting *setting = target;
    if (cursor->node->kind == SOURCE_TEXT) {
        struct strview word = read_text_of(reader, cursor);
        if (strview_equal(word, STRVIEW("-")) || strview_equal(word, STRVIEW("off"))) {
            setting->text = word;
            return;
        }
    }
    read_path(reader, cursor, row, target);
}
