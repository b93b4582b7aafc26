#include "proxy/config/source_edit.h"

#include "proxy/config/source_scan.h"

/* --- finding ------------------------------------------------------------------------------- */

static const struct source_node *child_called(const struct source_node *group, struct strview name)
{
    for (const struct source_node *child = group->first_child; child; child = child->next) {
        if (strview_equal(child->name, name))
            return child;
    }
    return NULL;
}

static const struct source_node *scan_text(struct arena *arena, struct strview text)
{
    struct config_report report;
    config_report_init(&report);
    const struct source *source = source_from_text(arena, STRVIEW("text"), text);
    const struct source_node *root = source_scan(arena, source, &report).root;
    config_report_done(&report);
    return root;
}

/* A file may have several groups `modules` only if they are in other files; the first has it. */
static const struct source_node *find_module(const struct source_node *root, struct strview name)
{
    for (const struct source_node *group = root->first_child; group; group = group->next) {
        if (!strview_equal(group->name, STRVIEW("modules")) || group->kind != SOURCE_GROUP)
            continue;
        const struct source_node *module = child_called(group, name);
        if (module != NULL && module->kind == SOURCE_GROUP)
            return module;
    }
    return NULL;
}

/* What a new key is written beside: `stage`, else what every module has. */
static const struct source_node *find_neighbour(const struct source_node *module)
{
    static const struct strview keys[] = {
        {"stage", 5}, {"percent", 7}, {"write_owner", 11}, {"extracted", 9}, {"legacy", 6},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct source_node *neighbour = child_called(module, keys[i]);
        if (neighbour != NULL)
            return neighbour;
    }
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

static struct strview splice(struct arena *arena, struct strview text, size_t at, size_t removed,
                             struct strview added)
{
    size_t length = text.length - removed + added.length;
    char *bytes = arena_alloc(arena, length + 1);
    memcpy(bytes, text.data, at);
    memcpy(bytes + at, added.data, added.length);
    memcpy(bytes + at + added.length, text.data + at + removed, text.length - at - removed);
    bytes[length] = '\0';
    return strview_make(bytes, length);
}

static struct strview literal_of(struct arena *arena, const struct source_edit *edit,
                                 const struct source_node *old)
{
    if (edit->is_word)
        return arena_printf(arena, "\"%.*s\"", STRVIEW_ARGS(edit->value));
    if (old != NULL && old->kind == SOURCE_TEXT)
        return arena_printf(arena, "\"%.*s%%\"", STRVIEW_ARGS(edit->value));
    return edit->value;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t skip_blanks(struct strview text, size_t at)
{
    while (at < text.length && is_blank(text.data[at]))
        at++;
    return at;
}

/* Behind the `;` or `,` of a setting; 0 when there is none beside its value. */
static size_t end_of_setting(struct strview text, const struct source_node *node)
{
    size_t at = skip_blanks(text, node->value_offset + node->value_length);
    return at < text.length && (text.data[at] == ';' || text.data[at] == ',') ? at + 1 : 0;
}

static size_t start_of_line(struct strview text, size_t at)
{
    while (at > 0 && text.data[at - 1] != '\n')
        at--;
    return at;
}

/* Nothing but the setting, and perhaps a comment behind it, stands on its line. The offset of the
 * line's end; 0 when it is not so. */
static size_t end_of_own_line(struct strview text, size_t name_at, size_t end)
{
    if (skip_blanks(text, start_of_line(text, name_at)) != name_at ||
        memchr(text.data + name_at, '\n', end - name_at) != NULL)
        return 0;
    struct strview rest = strview_from(text, skip_blanks(text, end));
    size_t newline = (size_t)(rest.data - text.data) + strview_find(rest, '\n');
    bool only_comment =
        rest.length > 0 && (rest.data[0] == '#' || rest.data[0] == '\r' || rest.data[0] == '\n' ||
                            strview_starts_with(rest, STRVIEW("//")));
    return only_comment && newline < text.length ? newline : 0;
}

/* A line like the neighbour's: its indentation, its `=` in the same column, its line end. */
static struct strview line_like(struct arena *arena, const struct source_node *neighbour,
                                size_t name_at, size_t line_end, const struct source_edit *edit,
                                struct strview literal)
{
    struct strview text = neighbour->source->text;
    size_t start = start_of_line(text, name_at);
    size_t sign = name_at + neighbour->name.length;
    sign = skip_blanks(text, sign);
    size_t width = sign - name_at;
    bool is_plain = sign < neighbour->value_offset &&
                    (text.data[sign] == '=' || text.data[sign] == ':') &&
                    skip_blanks(text, sign + 1) == neighbour->value_offset;
    struct strview between =
        is_plain ? strview_make(text.data + sign, neighbour->value_offset - sign) : STRVIEW("= ");
    if (width <= edit->key.length)
        width = edit->key.length + (width > neighbour->name.length);
    const char *line_break = text.data[line_end - 1] == '\r' ? "\r\n" : "\n";
    return arena_printf(arena, "%s%.*s%-*.*s%.*s%.*s;", line_break, (int)(name_at - start),
                        text.data + start, (int)width, STRVIEW_ARGS(edit->key),
                        STRVIEW_ARGS(between), STRVIEW_ARGS(literal));
}

static struct strview insert_beside(struct arena *arena, const struct source_node *neighbour,
                                    const struct source_edit *edit)
{
    struct strview text = neighbour->source->text;
    struct strview literal = literal_of(arena, edit, NULL);
    size_t name_at = (size_t)(neighbour->name.data - text.data);
    size_t end = end_of_setting(text, neighbour);
    if (end == 0) { /* its end is not plain to see, its begin is */
        struct strview added =
            arena_printf(arena, "%.*s = %.*s; ", STRVIEW_ARGS(edit->key), STRVIEW_ARGS(literal));
        return splice(arena, text, name_at, 0, added);
    }
    size_t line_end = end_of_own_line(text, name_at, end);
    if (line_end == 0) {
        struct strview added =
            arena_printf(arena, " %.*s = %.*s;", STRVIEW_ARGS(edit->key), STRVIEW_ARGS(literal));
        return splice(arena, text, end, 0, added);
    }
    struct strview added = line_like(arena, neighbour, name_at, line_end, edit, literal);
    return splice(arena, text, text.data[line_end - 1] == '\r' ? line_end - 1 : line_end, 0, added);
}

/* Reads the new text as the proxy will: the value is there, and nothing else has moved. */
static bool check_edit(struct arena *arena, struct strview text, struct strview module,
                       const struct source_edit *edit, uint32_t keys)
{
    const struct source_node *root = scan_text(arena, text);
    const struct source_node *group = root != NULL ? find_module(root, module) : NULL;
    const struct source_node *node = group != NULL ? child_called(group, edit->key) : NULL;
    if (node == NULL || group->child_count != keys)
        return false;
    struct strview value = strview_make(text.data + node->value_offset, node->value_length);
    return strview_equal(value, literal_of(arena, edit, node));
}

bool source_edit_set(struct arena *arena, struct strview text, struct strview module,
                     const struct source_edit *edit, struct strview *ret_text, struct fault *fault)
{
    const struct source_node *root = scan_text(arena, text);
    if (root == NULL)
        return fault_set(fault, "it has a syntax fault; `strangler check` shows it");
    const struct source_node *group = find_module(root, module);
    if (group == NULL)
        return fault_set(fault, "module `%.*s` is not in it", STRVIEW_ARGS(module));
    const struct source_node *node = child_called(group, edit->key);
    const struct source_node *neighbour = find_neighbour(group);
    struct strview edited;
    if (node != NULL)
        edited = splice(arena, text, node->value_offset, node->value_length,
                        literal_of(arena, edit, node));
    else if (neighbour != NULL)
        edited = insert_beside(arena, neighbour, edit);
    else
        return fault_set(fault, "module `%.*s` has no key to write `%.*s` beside",
                         STRVIEW_ARGS(module), STRVIEW_ARGS(edit->key));
    if (!check_edit(arena, edited, module, edit, group->child_count + (node == NULL)))
        return fault_set(fault, "its layout is too odd to write `%.*s` of `%.*s` without doubt",
                         STRVIEW_ARGS(edit->key), STRVIEW_ARGS(module));
    *ret_text = edited;
    return true;
}
