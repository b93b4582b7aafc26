#include "proxy/compare/difference.h"

#include "proxy/compare/utf8.h"

static const struct strview kind_names[] = {
    [DIFFERENCE_STATUS] = {"status", 6}, [DIFFERENCE_HEADER] = {"header", 6},
    [DIFFERENCE_TYPE] = {"type", 4},     [DIFFERENCE_MISSING] = {"missing", 7},
    [DIFFERENCE_EXTRA] = {"extra", 5},   [DIFFERENCE_VALUE] = {"value", 5},
    [DIFFERENCE_ORDER] = {"order", 5},   [DIFFERENCE_LENGTH] = {"length", 6},
};

struct strview difference_kind_name(enum difference_kind kind)
{
    return kind_names[kind];
}

void difference_list_init(struct difference_list *list, struct arena *arena)
{
    list->arena = arena;
    list->count = 0;
    list->more = false;
}

void difference_add(struct difference_list *list, enum difference_kind kind, struct strview field,
                    struct strview first, struct strview second)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == kind && strview_equal(list->items[i].field, field))
            return;
    }
    if (list->count == DIFFERENCES_MAX) {
        list->more = true;
        return;
    }
    list->items[list->count++] = (struct difference){
        .kind = kind,
        .field = arena_copy(list->arena, field),
        .first = arena_copy(list->arena, utf8_clip(first, DIFFERENCE_EXCERPT_BYTES)),
        .second = arena_copy(list->arena, utf8_clip(second, DIFFERENCE_EXCERPT_BYTES)),
    };
}

void field_path_append(struct field_path *path, struct strview text)
{
    static const struct strview ellipsis = STRVIEW("…");
    if (path->full)
        return;
    path->full = path->length + text.length + ellipsis.length > sizeof(path->text);
    if (path->full)
        text = ellipsis;
    memcpy(path->text + path->length, text.data, text.length);
    path->length += text.length;
}

void field_path_init(struct field_path *path, struct strview root)
{
    path->length = 0;
    path->full = false;
    field_path_append(path, root);
}

struct strview field_path_view(const struct field_path *path)
{
    return strview_make(path->text, path->length);
}

static bool is_plain_name(struct strview name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '@';
        if (!plain)
            return false;
    }
    return name.length > 0;
}

/* A mark holds the length and, in its lowest bit, whether the name was full already. */
static size_t mark_of(const struct field_path *path)
{
    return path->length * 2 + (path->full ? 1 : 0);
}

size_t field_path_enter_member(struct field_path *path, struct strview name)
{
    size_t mark = mark_of(path);
    bool plain = is_plain_name(name);
    field_path_append(path, plain ? STRVIEW(".") : STRVIEW("['"));
    field_path_append(path, name);
    if (!plain)
        field_path_append(path, STRVIEW("']"));
    return mark;
}

size_t field_path_enter_element(struct field_path *path)
{
    size_t mark = mark_of(path);
    field_path_append(path, STRVIEW("[*]"));
    return mark;
}

void field_path_leave(struct field_path *path, size_t mark)
{
    path->length = mark / 2;
    path->full = (mark & 1) != 0;
}
