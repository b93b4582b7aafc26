/*
 * Two pages, token by token. Where they part, the nearest place at which they agree again is looked
 * for in a short window: what lies before it is missing or extra.
 */
#include "proxy/compare/compare_body.h"
#include "proxy/compare/normalise.h"
#include "proxy/compare/utf8.h"

enum { WINDOW = 48, OPEN_ELEMENTS_MAX = 128, NAMED_ELEMENTS = 4, NAME_BYTES = 40 };

struct open_element {
    struct strview name;
    struct strview class; /* its first, or empty */
};

/* The elements around the place where the walk is. */
struct open_elements {
    struct open_element items[OPEN_ELEMENTS_MAX];
    uint32_t count; /* those beyond the maximum are counted, not kept */
};

struct html_comparison {
    struct compare_work *work;
    struct html_tokens first;
    struct html_tokens second;
    struct open_elements open;
};

/* --- the name of a place ------------------------------------------------------------------------
 */

static struct open_element element_of(const struct html_token *token)
{
    const struct html_attribute *class = html_token_attribute(token, STRVIEW("class"));
    struct open_element element = {.name = token->name, .class = STRVIEW("")};
    if (class != NULL)
        element.class = strview_make(class->value.data, strview_find(class->value, ' '));
    return element;
}

static void open_element(struct open_elements *open, const struct html_token *token)
{
    if (open->count < OPEN_ELEMENTS_MAX)
        open->items[open->count] = element_of(token);
    open->count++;
}

/* Closes the nearest element of this name and all in it, as a browser does. */
static void close_element(struct open_elements *open, struct strview name)
{
    if (open->count > OPEN_ELEMENTS_MAX) {
        open->count--;
        return;
    }
    for (uint32_t i = open->count; i > 0; i--) {
        if (strview_equal(open->items[i - 1].name, name)) {
            open->count = i - 1;
            return;
        }
    }
}

static void pass(struct html_comparison *comparison, const struct html_token *token)
{
    if (token->kind == HTML_OPEN && !token->is_void)
        open_element(&comparison->open, token);
    else if (token->kind == HTML_CLOSE)
        close_element(&comparison->open, token->name);
}

/* "p.by": the element and its first class. */
static void append_element(struct field_path *path, struct open_element element, bool is_first)
{
    field_path_append(path, is_first ? STRVIEW(" ") : STRVIEW(" > "));
    field_path_append(path, utf8_clip(element.name, NAME_BYTES));
    if (element.class.length > 0)
        field_path_append(path, STRVIEW("."));
    field_path_append(path, utf8_clip(element.class, NAME_BYTES));
}

/* "html: main > article.post > p.by", the innermost elements; `token` is in or under them. */
static void name_place(const struct html_comparison *comparison, const struct html_token *token,
                       struct strview attribute, struct field_path *ret_path)
{
    const struct open_elements *open = &comparison->open;
    uint32_t known = open->count < OPEN_ELEMENTS_MAX ? open->count : OPEN_ELEMENTS_MAX;
    uint32_t begin = known > NAMED_ELEMENTS ? known - NAMED_ELEMENTS : 0;
    field_path_init(ret_path, STRVIEW("html:"));
    for (uint32_t i = begin; i < known; i++)
        append_element(ret_path, open->items[i], i == begin);
    if (token->kind == HTML_OPEN)
        append_element(ret_path, element_of(token), known == 0);
    if (attribute.length > 0) {
        field_path_append(ret_path, STRVIEW(" @"));
        field_path_append(ret_path, utf8_clip(attribute, NAME_BYTES));
    }
}

static struct strview shown(struct arena *arena, const struct html_token *token)
{
    if (token->kind == HTML_TEXT || token->kind == HTML_DOCTYPE)
        return token->text;
    struct strview name = utf8_clip(token->name, NAME_BYTES);
    return arena_printf(arena, "<%s%.*s>", token->kind == HTML_CLOSE ? "/" : "",
                        STRVIEW_ARGS(name));
}

static void add(struct html_comparison *comparison, enum difference_kind kind,
                const struct html_token *first, const struct html_token *second)
{
    struct field_path path;
    struct compare_work *work = comparison->work;
    if (!work_spend(work, 1 + work->differences->count))
        return;
    name_place(comparison, first != NULL ? first : second, STRVIEW_NONE, &path);
    difference_add(work->differences, kind, field_path_view(&path),
                   first != NULL ? shown(work->arena, first) : STRVIEW_NONE,
                   second != NULL ? shown(work->arena, second) : STRVIEW_NONE);
}

/* --- tokens -------------------------------------------------------------------------------------
 */

static bool attributes_are_equal(const struct html_token *first, const struct html_token *second)
{
    if (first->attribute_count != second->attribute_count)
        return false;
    for (uint32_t i = 0; i < first->attribute_count; i++) {
        if (!strview_equal(first->attributes[i].name, second->attributes[i].name) ||
            !strview_equal(first->attributes[i].value, second->attributes[i].value))
            return false;
    }
    return true;
}

static bool tokens_are_equal(const struct html_token *first, const struct html_token *second)
{
    return first->kind == second->kind && strview_equal(first->name, second->name) &&
           strview_equal(first->text, second->text) && attributes_are_equal(first, second);
}

static void add_attribute(struct html_comparison *comparison, const struct html_token *token,
                          enum difference_kind kind, const struct html_attribute *first,
                          const struct html_attribute *second)
{
    struct field_path path;
    if (!work_spend(comparison->work, 1 + comparison->work->differences->count))
        return;
    name_place(comparison, token, first != NULL ? first->name : second->name, &path);
    difference_add(comparison->work->differences, kind, field_path_view(&path),
                   first != NULL ? first->value : STRVIEW_NONE,
                   second != NULL ? second->value : STRVIEW_NONE);
}

static void compare_attributes(struct html_comparison *comparison, const struct html_token *first,
                               const struct html_token *second)
{
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < first->attribute_count || j < second->attribute_count) {
        const struct html_attribute *left =
            i < first->attribute_count ? &first->attributes[i] : NULL;
        const struct html_attribute *right =
            j < second->attribute_count ? &second->attributes[j] : NULL;
        int order = left == NULL    ? 1
                    : right == NULL ? -1
                                    : strview_compare(left->name, right->name);
        if (order < 0)
            add_attribute(comparison, first, DIFFERENCE_MISSING, left, NULL);
        else if (order > 0)
            add_attribute(comparison, first, DIFFERENCE_EXTRA, NULL, right);
        else if (!strview_equal(left->value, right->value))
            add_attribute(comparison, first, DIFFERENCE_VALUE, left, right);
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
    }
}

static bool are_alike(const struct html_token *first, const struct html_token *second)
{
    return first->kind == second->kind && strview_equal(first->name, second->name);
}

/* The same tag or both text: then they stand for each other, whatever they say; unless their ids
 * tell them apart. */
static bool tokens_correspond(const struct html_token *first, const struct html_token *second)
{
    const struct html_attribute *left = html_token_attribute(first, STRVIEW("id"));
    const struct html_attribute *right = html_token_attribute(second, STRVIEW("id"));
    return are_alike(first, second) &&
           (left == NULL || right == NULL || strview_equal(left->value, right->value));
}

static uint64_t token_steps(const struct html_token *token)
{
    return 1 + token->attribute_count + token->text.length / 64;
}

/* How many tokens of `list` from `from` on have to be left out for the next to be `wanted`; WINDOW:
 * more than are looked at. */
static uint32_t distance(struct compare_work *work, const struct html_tokens *list, uint32_t from,
                         const struct html_token *wanted)
{
    for (uint32_t i = 1; i < WINDOW && from + i < list->count; i++) {
        if (!work_spend(work, token_steps(&list->items[from + i])))
            break;
        if (tokens_are_equal(&list->items[from + i], wanted))
            return i;
    }
    return WINDOW;
}

/* An end tag that may be there or not. */
static bool goes_without_saying(const struct html_token *token)
{
    return token->kind == HTML_CLOSE && token->end_may_lack;
}

/* Leaves tokens out. The end of an element that is left out as a whole goes without saying. */
static void skip(struct html_comparison *comparison, struct html_tokens *list, uint32_t *at,
                 uint32_t count, bool is_first)
{
    uint32_t begun = 0;
    for (; count > 0 && *at < list->count; count--, (*at)++) {
        const struct html_token *token = &list->items[*at];
        bool ends = token->kind == HTML_CLOSE;
        if (goes_without_saying(token) || !work_spend(comparison->work, 1))
            continue;
        if (!ends || begun == 0)
            add(comparison, is_first ? DIFFERENCE_MISSING : DIFFERENCE_EXTRA,
                is_first ? token : NULL, is_first ? NULL : token);
        begun += token->kind == HTML_OPEN && !token->is_void && !token->end_may_lack ? 1 : 0;
        begun -= ends && begun > 0 ? 1 : 0;
    }
}

/* Both on by one: what stands there differs. */
static void compare_both(struct html_comparison *comparison, uint32_t *first, uint32_t *second)
{
    const struct html_token *left = &comparison->first.items[*first];
    const struct html_token *right = &comparison->second.items[*second];
    if (!are_alike(left, right))
        add(comparison, left->kind == right->kind ? DIFFERENCE_VALUE : DIFFERENCE_TYPE, left,
            right);
    else if (left->kind == HTML_OPEN)
        compare_attributes(comparison, left, right);
    else
        add(comparison, DIFFERENCE_VALUE, left, right);
    pass(comparison, left);
    (*first)++;
    (*second)++;
}

/* They part at *first, *second. Moves both on to where they agree, or one token each. */
static void part(struct html_comparison *comparison, uint32_t *first, uint32_t *second)
{
    const struct html_token *left = &comparison->first.items[*first];
    const struct html_token *right = &comparison->second.items[*second];
    uint32_t missing = distance(comparison->work, &comparison->first, *first, right);
    uint32_t extra = distance(comparison->work, &comparison->second, *second, left);
    if (missing == WINDOW && extra == WINDOW)
        compare_both(comparison, first, second);
    else if (missing <= extra)
        skip(comparison, &comparison->first, first, missing, true);
    else
        skip(comparison, &comparison->second, second, extra, false);
}

static void compare_tokens(struct html_comparison *comparison)
{
    uint32_t i = 0;
    uint32_t j = 0;
    struct html_tokens *first = &comparison->first;
    struct html_tokens *second = &comparison->second;
    while (i < first->count && j < second->count) {
        const struct html_token *left = &first->items[i];
        const struct html_token *right = &second->items[j];
        if (!work_spend(comparison->work, token_steps(left)))
            return;
        if (goes_without_saying(left)) {
            pass(comparison, left);
            i++;
        } else if (goes_without_saying(right)) {
            j++;
        } else if (tokens_are_equal(left, right)) {
            pass(comparison, left);
            i++;
            j++;
        } else if (tokens_correspond(left, right)) {
            compare_both(comparison, &i, &j);
        } else {
            part(comparison, &i, &j);
        }
    }
    skip(comparison, first, &i, UINT32_MAX, true);
    skip(comparison, second, &j, UINT32_MAX, false);
}

/* --- what is left out ---------------------------------------------------------------------- */

/* Takes ignored elements out, with all in them, and normalises the rest. In place. */
static void prepare(struct compare_work *work, struct html_tokens *tokens)
{
    uint32_t kept = 0;
    uint32_t depth = 0; /* of elements with the ignored one's name, inside it */
    struct strview ignored = STRVIEW_NONE;
    for (uint32_t i = 0; i < tokens->count; i++) {
        struct html_token *token = &tokens->items[i];
        bool same = depth > 0 && strview_equal(token->name, ignored);
        if (depth > 0) {
            depth += same && token->kind == HTML_OPEN ? 1 : 0;
            depth -= same && token->kind == HTML_CLOSE ? 1 : 0;
            continue;
        }
        if (token->kind == HTML_OPEN &&
            html_selector_list_matches(&work->rules->ignored_elements, token)) {
            depth = token->is_void ? 0 : 1;
            ignored = token->name;
            continue;
        }
        normalise_token(work->arena, token);
        tokens->items[kept++] = *token;
    }
    tokens->count = kept;
}

void compare_html(struct compare_work *work, struct strview first, struct strview second)
{
    struct html_comparison *comparison = arena_zalloc(work->arena, sizeof(*comparison));
    comparison->work = work;
    work->why = html_tokens_read(work->arena, first, &comparison->first);
    if (work->why == NULL)
        work->why = html_tokens_read(work->arena, second, &comparison->second);
    if (work->why != NULL)
        return;
    prepare(work, &comparison->first);
    prepare(work, &comparison->second);
    compare_tokens(comparison);
}
