#include "proxy/routing/rewrite.h"

#include <stdio.h>

#include "proxy/core/array.h"
#include "proxy/routing/route_table.h"

enum { LITERAL = -1, REWRITE_PATH_BYTES_MAX = 2048 };

/* A part of the replacement: text, or a group of the match. */
struct piece {
    int group; /* LITERAL: `text` */
    struct strview text;
};

struct route_rewrite {
    const struct route_regex *regex;
    struct piece *pieces;
    size_t count;
};

/* The replacement while it is read. */
struct template
{
    struct strview text;
    size_t at; /* at a '$' */
    const struct route_regex *regex;
};

static bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "$1", "${1}", "${name}" or "$$" at template->at, which moves behind it. False when it is none. */
static bool take_reference(struct template *template, struct piece *ret_piece)
{
    struct strview rest = strview_from(template->text, template->at + 1);
    if (rest.length > 0 && rest.data[0] == '$') {
        *ret_piece = (struct piece){.group = LITERAL, .text = strview_make(rest.data, 1)};
        template->at += 2;
        return true;
    }
    bool braces = rest.length > 0 && rest.data[0] == '{';
    size_t start = braces ? 1 : 0;
    size_t end = start;
    while (end < rest.length && (braces ? rest.data[end] != '}' : byte_is_digit(rest.data[end])))
        end++;
    struct strview name = strview_make(rest.data + start, end - start);
    if (name.length == 0 || (braces && end == rest.length))
        return false;
    uint64_t number;
    int group = strview_to_u64(name, regex_group_count(template->regex), &number)
                    ? (int)number
                    : regex_group_number(template->regex, name);
    *ret_piece = (struct piece){.group = group};
    template->at += 1 + end + (braces ? 1 : 0);
    return group >= 0;
}

static bool compile_pieces(struct route_rewrite *rewrite, struct strview text, struct arena *arena,
                           struct route_fault *fault)
{
    struct template template = {.text = text, .regex = rewrite->regex};
    /* Each piece takes a byte of the text at least. */
    rewrite->pieces = arena_zalloc(arena, (text.length + 1) * sizeof(*rewrite->pieces));
    while (template.at < text.length) {
        struct piece *piece = &rewrite->pieces[rewrite->count++];
        size_t from = template.at;
        if (text.data[from] != '$') {
            size_t length = strview_find(strview_from(text, from), '$');
            *piece =
                (struct piece){.group = LITERAL, .text = strview_make(text.data + from, length)};
            template.at += length;
        } else if (!take_reference(&template, piece)) {
            fault->offset = from;
            snprintf(fault->text, sizeof(fault->text),
                     "no such group; write $1, ${name}, or $$ for a dollar sign");
            return false;
        }
    }
    return true;
}

/* A replacement that is not canonical would be refused on each request; better say it now. */
static bool check_template(struct strview text, struct arena *arena, struct route_fault *fault)
{
    fault->offset = 0;
    if (text.length > REWRITE_PATH_BYTES_MAX) {
        snprintf(fault->text, sizeof(fault->text), "longer than %d bytes", REWRITE_PATH_BYTES_MAX);
        return false;
    }
    struct strview whole = arena_printf(arena, "/%.*s", STRVIEW_ARGS(text));
    struct strview path;
    struct strview query;
    if (path_canonical(arena, whole, &path, &query) == PATH_CANONICAL && strview_equal(path, whole))
        return true;
    snprintf(fault->text, sizeof(fault->text),
             "not a canonical path: a query, a space, dot segments, %%-encoding of plain letters");
    return false;
}

const struct route_rewrite *rewrite_compile(const struct route_spec *spec, struct arena *arena,
                                            struct regex_list *regexes,
                                            struct route_fault *ret_fault)
{
    struct condition_builder builder = {.arena = arena, .regexes = regexes, .fault = ret_fault};
    struct route_rewrite *rewrite = arena_zalloc(arena, sizeof(*rewrite));
    ret_fault->part = ROUTE_PART_REWRITE_REGEX;
    ret_fault->item = 0;
    rewrite->regex = condition_regex(&builder, spec->rewrite_regex, spec->ignore_case);
    if (rewrite->regex == NULL)
        return NULL;
    ret_fault->part = ROUTE_PART_REWRITE_PATH;
    if (!check_template(spec->rewrite_path, arena, ret_fault) ||
        !compile_pieces(rewrite, arena_copy(arena, spec->rewrite_path), arena, ret_fault))
        return NULL;
    return rewrite;
}

static struct strview piece_text(const struct piece *piece, const struct match_scratch *scratch,
                                 struct strview path)
{
    return piece->group == LITERAL ? piece->text
                                   : regex_group(scratch, path, (uint32_t)piece->group);
}

/* `path` with the last match replaced; empty when it would be too long. */
static struct strview replace(const struct route_rewrite *rewrite, struct strview path,
                              const struct match_scratch *scratch, struct arena *arena)
{
    struct strview match = regex_group(scratch, path, 0);
    size_t before = (size_t)(match.data - path.data);
    size_t length = path.length - match.length;
    for (size_t i = 0; i < rewrite->count; i++)
        length += piece_text(&rewrite->pieces[i], scratch, path).length;
    if (length > ROUTE_REWRITTEN_BYTES_MAX)
        return STRVIEW_NONE;
    char *bytes = arena_alloc(arena, length + 1);
    memcpy(bytes, path.data, before);
    size_t used = before;
    for (size_t i = 0; i < rewrite->count; i++) {
        struct strview text = piece_text(&rewrite->pieces[i], scratch, path);
        if (text.length > 0)
            memcpy(bytes + used, text.data, text.length);
        used += text.length;
    }
    memcpy(bytes + used, match.data + match.length, path.length - before - match.length);
    return strview_make(bytes, length);
}

bool route_rewrite_apply(const struct route *route, struct strview path, struct arena *arena,
                         struct match_scratch *scratch, struct strview *ret_path)
{
    enum match_result found = regex_search(route->rewrite->regex, path, scratch);
    if (found == MATCH_NO)
        *ret_path = path;
    if (found != MATCH_YES)
        return found == MATCH_NO;
    struct strview result = replace(route->rewrite, path, scratch, arena);
    struct strview canonical;
    struct strview query;
    /* Strict: a group that brings dot segments along would leave the place the rewrite meant. */
    if (path_canonical(arena, result, &canonical, &query) != PATH_CANONICAL || query.length > 0 ||
        !strview_equal(canonical, result))
        return false;
    *ret_path = result;
    return true;
}
