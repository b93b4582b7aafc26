/* How each module copies its requests and compares the answers. */
#include "proxy/config/snapshot_build.h"

#include "proxy/routing/bucket.h"

enum { BASELINE_PERCENT = 10 };

/* What a list of places is sorted into. */
struct place_lists {
    struct path_pattern *patterns;
    uint32_t pattern_count;
    struct strview *headers;
    uint32_t header_count;
    struct html_selector *selectors;
    uint32_t selector_count;
};

static const struct strview header_prefix = STRVIEW("header:");
static const struct strview html_prefix = STRVIEW("html:");

static void fault_place(const struct text_setting *item, size_t offset, const char *problem,
                        struct config_report *report)
{
    source_error(report, "bad-place", source_text_span(item->node, offset),
                 "this names no place in an answer: %s", problem);
    config_report_hint(report, "for example \"$.viewcount\", \"$..timestamp\", "
                               "\"$.items[*].id\", \"header:date\" or \"html:p.age\"");
}

static bool has_room(uint32_t count, uint32_t most, const struct text_setting *item,
                     struct config_report *report)
{
    if (count < most)
        return true;
    fault_place(item, 0, "the list has too many of its kind (32)", report);
    return false;
}

static void add_header(struct place_lists *lists, struct strview name,
                       const struct text_setting *item, struct config_report *report)
{
    if (!header_name_is_token(name))
        fault_place(item, header_prefix.length, "no name of a header field", report);
    else if (has_room(lists->header_count, COMPARE_HEADERS_MAX, item, report))
        lists->headers[lists->header_count++] = name;
}

static void add_selector(struct place_lists *lists, struct strview text,
                         const struct text_setting *item, struct config_report *report)
{
    const char *problem = "";
    if (!has_room(lists->selector_count, HTML_SELECTORS_MAX, item, report))
        return;
    if (html_selector_compile(text, &lists->selectors[lists->selector_count], &problem))
        lists->selector_count++;
    else
        fault_place(item, html_prefix.length, problem, report);
}

static void add_pattern(struct place_lists *lists, struct strview text,
                        const struct text_setting *item, struct config_report *report)
{
    const char *problem = "";
    size_t offset = 0;
    if (!has_room(lists->pattern_count, PATH_PATTERNS_MAX, item, report))
        return;
    if (path_pattern_compile(text, &lists->patterns[lists->pattern_count], &problem, &offset))
        lists->pattern_count++;
    else
        fault_place(item, offset, problem, report);
}

static struct strview lower_copy(struct snapshot *snapshot, struct strview text)
{
    struct strview copy = arena_copy(&snapshot->arena, text);
    for (size_t i = 0; i < copy.length; i++)
        ((char *)(uintptr_t)copy.data)[i] = ascii_lower(copy.data[i]);
    return copy;
}

static struct place_lists read_places(struct snapshot *snapshot,
                                      const struct text_list_setting *list,
                                      struct config_report *report)
{
    struct place_lists lists = {
        .patterns = snapshot_array(snapshot, list->count, sizeof(struct path_pattern)),
        .headers = snapshot_array(snapshot, list->count, sizeof(struct strview)),
        .selectors = snapshot_array(snapshot, list->count, sizeof(struct html_selector)),
    };
    for (size_t i = 0; i < list->count; i++) {
        const struct text_setting *item = &list->items[i];
        struct strview lower = lower_copy(snapshot, item->text);
        if (strview_starts_with(lower, header_prefix))
            add_header(&lists, strview_from(lower, header_prefix.length), item, report);
        else if (strview_starts_with(lower, html_prefix))
            add_selector(&lists, strview_from(lower, html_prefix.length), item, report);
        else
            add_pattern(&lists, arena_copy(&snapshot->arena, item->text), item, report);
    }
    return lists;
}

/* A list that takes places in JSON only. */
static struct path_pattern_list read_patterns(struct snapshot *snapshot,
                                              const struct text_list_setting *list,
                                              struct config_report *report)
{
    struct place_lists lists = {
        .patterns = snapshot_array(snapshot, list->count, sizeof(struct path_pattern)),
    };
    for (size_t i = 0; i < list->count; i++)
        add_pattern(&lists, arena_copy(&snapshot->arena, list->items[i].text), &list->items[i],
                    report);
    return (struct path_pattern_list){lists.patterns, lists.pattern_count};
}

/* Places in JSON and fields of a head. */
static struct redact_rules read_redact(struct snapshot *snapshot,
                                       const struct text_list_setting *list,
                                       struct config_report *report)
{
    struct place_lists places = read_places(snapshot, list, report);
    for (size_t i = 0; places.selector_count > 0 && i < list->count; i++) {
        if (strview_starts_with(lower_copy(snapshot, list->items[i].text), html_prefix))
            fault_place(&list->items[i], 0, "elements of pages cannot be left out here", report);
    }
    return (struct redact_rules){
        .places = {places.patterns, places.pattern_count},
        .headers = places.headers,
        .header_count = places.header_count,
    };
}

static void read_headers(struct snapshot *snapshot, const struct text_list_setting *list,
                         struct compare_rules *rules, struct config_report *report)
{
    struct strview *names = snapshot_array(snapshot, list->count, sizeof(*names));
    for (size_t i = 0; i < list->count; i++) {
        struct strview name = lower_copy(snapshot, list->items[i].text);
        if (!header_name_is_token(name))
            fault_place(&list->items[i], 0, "no name of a header field", report);
        else if (has_room(rules->header_count, COMPARE_HEADERS_MAX, &list->items[i], report))
            names[rules->header_count++] = name;
    }
    rules->headers = names;
}

static struct compare_rules read_rules(struct snapshot *snapshot,
                                       const struct compare_settings *settings,
                                       struct config_report *report)
{
    struct compare_rules rules = {.status = settings->status.value != 0};
    struct place_lists ignore = read_places(snapshot, &settings->ignore, report);
    read_headers(snapshot, &settings->headers, &rules, report);
    rules.ignored_headers = ignore.headers;
    rules.ignored_header_count = ignore.header_count;
    rules.ignore = (struct path_pattern_list){ignore.patterns, ignore.pattern_count};
    rules.ignored_elements = (struct html_selector_list){ignore.selectors, ignore.selector_count};
    rules.unordered = read_patterns(snapshot, &settings->unordered, report);
    return rules;
}

static struct shadow_policy read_policy(struct snapshot *snapshot,
                                        const struct module_settings *module,
                                        struct config_report *report)
{
    const struct shadow_settings *shadow = &module->shadow;
    const struct number_setting *baseline = &module->compare.baseline;
    return (struct shadow_policy){
        .module = arena_copy(&snapshot->arena, module->node->name),
        .writes = module->shadow_writes.value == SHADOW_WRITES_SANDBOX,
        .max_body = (size_t)shadow->max_body.value,
        .max_inflight = (uint32_t)shadow->max_inflight.value,
        .pipeline = (uint32_t)shadow->pipeline.value,
        .timeout_ms = (uint64_t)shadow->timeout.value,
        .baseline_threshold = baseline->node != NULL ? (uint32_t)baseline->value
                                                     : BASELINE_PERCENT * BUCKETS_PER_PERCENT,
        .rules = read_rules(snapshot, &module->compare, report),
        .redact = read_redact(snapshot, &module->compare.redact, report),
    };
}

void snapshot_build_shadows(struct snapshot *snapshot, const struct settings *settings,
                            struct config_report *report)
{
    size_t count = settings->modules.count;
    snapshot->shadows = snapshot_array(snapshot, count, sizeof(*snapshot->shadows));
    for (size_t i = 0; i < count; i++)
        snapshot->shadows[i] = read_policy(snapshot, &settings->modules.items[i], report);
}
