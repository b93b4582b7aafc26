#include "extracted/reconcile/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool has_differences(const struct comparison *comparison)
{
    return comparison->count > 0 || comparison->is_cut;
}

bool report_is_equal(const struct comparison *comparisons, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_differences(&comparisons[i]))
            return false;
    }
    return true;
}

static const char *kind_of(const struct difference *difference)
{
    if (difference->extracted == NULL)
        return "only_legacy";
    return difference->legacy == NULL ? "only_extracted" : "different";
}

/* The names of the members that differ; NULL without memory. */
static json_t *members_of(const struct difference *difference)
{
    const char *name;
    json_t *value;
    json_t *members = json_array();
    json_object_foreach(difference->legacy, name, value)
    {
        if (!json_equal(value, json_object_get(difference->extracted, name)))
            json_array_append_new(members, json_string(name));
    }
    json_object_foreach(difference->extracted, name, value)
    {
        if (json_object_get(difference->legacy, name) == NULL)
            json_array_append_new(members, json_string(name));
    }
    return members;
}

static void print_members(const struct difference *difference)
{
    size_t i;
    json_t *name;
    json_t *members = members_of(difference);
    json_array_foreach(members, i, name)
        printf("%s%s", i == 0 ? ": " : ", ", json_string_value(name));
    json_decref(members);
}

static void print_difference(const struct difference *difference)
{
    if (difference->extracted == NULL) {
        printf("  only legacy     %s\n", difference->id);
    } else if (difference->legacy == NULL) {
        printf("  only extracted  %s\n", difference->id);
    } else {
        printf("  different       %s", difference->id);
        print_members(difference);
        printf("\n");
    }
}

static void print_comparison(const struct comparison *comparison)
{
    printf("%-10s %8" PRId64 " legacy %8" PRId64 " extracted  ", comparison->feed,
           comparison->legacy_rows, comparison->extracted_rows);
    if (has_differences(comparison))
        printf("%zu%s differ", comparison->count, comparison->is_cut ? " and more" : "");
    else
        printf("equal");
    if (comparison->settled > 0)
        printf(", %zu settled", comparison->settled);
    printf("\n");
    for (size_t i = 0; i < comparison->count; i++)
        print_difference(&comparison->differences[i]);
}

static bool flush(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}

bool report_print(const struct comparison *comparisons, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_comparison(&comparisons[i]);
    return flush();
}

static json_t *list_differences(const struct comparison *comparison)
{
    json_t *list = json_array();
    for (size_t i = 0; i < comparison->count; i++) {
        const struct difference *difference = &comparison->differences[i];
        bool has_both = difference->legacy != NULL && difference->extracted != NULL;
        json_t *entry =
            json_pack("{s:s,s:s,s:o*}", "id", difference->id, "kind", kind_of(difference),
                      "members", has_both ? members_of(difference) : NULL);
        json_array_append_new(list, entry);
    }
    return list;
}

bool report_print_json(const struct comparison *comparisons, size_t count)
{
    json_t *feeds = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct comparison *each = &comparisons[i];
        json_array_append_new(
            feeds, json_pack("{s:s,s:I,s:I,s:I,s:b,s:o}", "feed", each->feed, "legacy_rows",
                             (json_int_t)each->legacy_rows, "extracted_rows",
                             (json_int_t)each->extracted_rows, "settled", (json_int_t)each->settled,
                             "cut", each->is_cut ? 1 : 0, "differences", list_differences(each)));
    }
    json_t *report = json_pack("{s:b,s:o}", "equal", report_is_equal(comparisons, count) ? 1 : 0,
                               "feeds", feeds);
    char *text = json_dumps(report, JSON_COMPACT);
    bool is_good = text != NULL && puts(text) >= 0;
    free(text);
    json_decref(report);
    return flush() && is_good;
}
