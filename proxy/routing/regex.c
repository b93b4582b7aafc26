#include "proxy/routing/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/core/array.h"
#include "proxy/core/check.h"
#include "proxy/routing/route_table.h"

enum { JIT_STACK_START_BYTES = 32 * 1024, PARENTHESES_MAX = 100, GROUP_NAME_BYTES = 33 };

struct route_regex {
    pcre2_code *code;
    bool jit;
    size_t literal_length;
    char literal[]; /* what each match begins with, at the subject's start */
};

struct match_scratch {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *jit_stack;
};

struct match_scratch *match_scratch_new(void)
{
    struct match_scratch *scratch = memory_zalloc(sizeof(*scratch));
    scratch->context = pcre2_match_context_create(NULL);
    scratch->data = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL);
    CHECK(scratch->context != NULL && scratch->data != NULL);
    pcre2_set_match_limit(scratch->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, REGEX_HEAP_KIB);
    scratch->jit_stack = pcre2_jit_stack_create(JIT_STACK_START_BYTES, REGEX_JIT_STACK_BYTES, NULL);
    if (scratch->jit_stack != NULL)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->jit_stack);
    return scratch;
}

void match_scratch_free(struct match_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_jit_stack_free(scratch->jit_stack);
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    free(scratch);
}

static bool byte_is_literal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_';
}

/*
 * How many bytes after a leading '^' every match has to begin with. Most requests are told apart by
 * them without a call into PCRE2. Never too many: anything unusual in the pattern gives 0.
 */
static size_t literal_bytes(struct strview pattern, bool ignore_case)
{
    if (ignore_case || pattern.length == 0 || pattern.data[0] != '^' ||
        strview_find(pattern, '|') < pattern.length)
        return 0;
    size_t end = 1;
    while (end < pattern.length && byte_is_literal(pattern.data[end]))
        end++;
    bool repeated = end > 1 && end < pattern.length && memchr("?*+{", pattern.data[end], 4) != NULL;
    return end - 1 - (repeated ? 1 : 0);
}

static pcre2_code *compile(struct strview pattern, bool ignore_case, struct regex_fault *ret_fault)
{
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_DOLLAR_ENDONLY | (ignore_case ? PCRE2_CASELESS : 0);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    CHECK(context != NULL);
    pcre2_set_parens_nest_limit(context, PARENTHESES_MAX);
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.data, pattern.length, options, &error, &offset, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        ret_fault->offset = offset < pattern.length ? offset : pattern.length;
        pcre2_get_error_message(error, (PCRE2_UCHAR *)ret_fault->text, sizeof(ret_fault->text));
    }
    return code;
}

struct route_regex *regex_new(struct strview pattern, bool ignore_case,
                              struct regex_fault *ret_fault)
{
    if (pattern.length > REGEX_PATTERN_BYTES_MAX) {
        ret_fault->offset = REGEX_PATTERN_BYTES_MAX;
        snprintf(ret_fault->text, sizeof(ret_fault->text), "longer than %d bytes",
                 REGEX_PATTERN_BYTES_MAX);
        return NULL;
    }
    pcre2_code *code = compile(pattern, ignore_case, ret_fault);
    if (code == NULL)
        return NULL;
    size_t literal = literal_bytes(pattern, ignore_case);
    struct route_regex *regex = memory_zalloc(sizeof(*regex) + literal);
    regex->code = code;
    regex->jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
    regex->literal_length = literal;
    if (literal > 0)
        memcpy(regex->literal, pattern.data + 1, literal);
    if (regex_group_count(regex) <= REGEX_GROUPS_MAX)
        return regex;
    regex_free(regex);
    ret_fault->offset = 0;
    snprintf(ret_fault->text, sizeof(ret_fault->text), "more than %d groups", REGEX_GROUPS_MAX);
    return NULL;
}

void regex_free(struct route_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

enum match_result regex_search(const struct route_regex *regex, struct strview subject,
                               struct match_scratch *scratch)
{
    if (subject.length > REGEX_SUBJECT_BYTES_MAX)
        return MATCH_LIMIT;
    if (!strview_starts_with(subject, strview_make(regex->literal, regex->literal_length)))
        return MATCH_NO;
    PCRE2_SPTR bytes = (PCRE2_SPTR)(subject.length > 0 ? subject.data : "");
    int found = regex->jit ? pcre2_jit_match(regex->code, bytes, subject.length, 0, 0,
                                             scratch->data, scratch->context)
                           : pcre2_match(regex->code, bytes, subject.length, 0, 0, scratch->data,
                                         scratch->context);
    if (found >= 0)
        return MATCH_YES;
    return found == PCRE2_ERROR_NOMATCH ? MATCH_NO : MATCH_LIMIT;
}

struct strview regex_group(const struct match_scratch *scratch, struct strview subject,
                           uint32_t number)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(scratch->data);
    PCRE2_SIZE from = offsets[2 * (size_t)number];
    PCRE2_SIZE to = offsets[2 * (size_t)number + 1];
    /* \K in a lookahead can put the start behind the end. */
    if (from == PCRE2_UNSET || from > to || to > subject.length)
        return strview_make(subject.data, 0);
    return strview_make(subject.data + from, to - from);
}

uint32_t regex_group_count(const struct route_regex *regex)
{
    uint32_t count = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

int regex_group_number(const struct route_regex *regex, struct strview name)
{
    char text[GROUP_NAME_BYTES];
    if (name.length == 0 || name.length >= sizeof(text))
        return -1;
    memcpy(text, name.data, name.length);
    text[name.length] = '\0';
    int number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)text);
    return number > 0 ? number : -1;
}
