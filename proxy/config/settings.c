#include "proxy/config/settings.h"

#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proxy/config/settings_check.h"
#include "proxy/config/settings_read.h"
#include "proxy/config/snapshot_build.h"
#include "proxy/config/source_scan.h"
#include "proxy/core/array.h"

enum { FILES_MAX = 1000, ALL_BYTES_MAX = 64 * 1024 * 1024 };

struct path_list {
    struct strview *items;
    size_t count;
    size_t capacity;
};

/* Do libconfig and the scanner see the same? They are two readers of one text. */
static bool trees_agree(const config_setting_t *parsed, const struct source_node *node)
{
    static const int parsed_types[] = {
        [SOURCE_GROUP] = CONFIG_TYPE_LIST,  [SOURCE_LIST] = CONFIG_TYPE_LIST,
        [SOURCE_ARRAY] = CONFIG_TYPE_ARRAY, [SOURCE_TEXT] = CONFIG_TYPE_STRING,
        [SOURCE_INTEGER] = CONFIG_TYPE_INT, [SOURCE_FLOAT] = CONFIG_TYPE_FLOAT,
        [SOURCE_FLAG] = CONFIG_TYPE_BOOL,
    };
    if (parsed == NULL)
        return false;
    int type = config_setting_type(parsed);
    if (type == CONFIG_TYPE_INT64)
        type = CONFIG_TYPE_INT;
    if (type != parsed_types[node->kind])
        return false;
    if (node->kind > SOURCE_ARRAY)
        return true;
    if ((uint32_t)config_setting_length(parsed) != node->child_count)
        return false;
    unsigned index = 0;
    for (const struct source_node *child = node->first_child; child; child = child->next) {
        if (!trees_agree(config_setting_get_elem(parsed, index++), child))
            return false;
    }
    return true;
}

static void fault_from_parser(const config_t *parser, const struct source *source,
                              struct config_report *report)
{
    size_t line = (size_t)config_error_line(parser);
    if (line < 1)
        line = 1;
    if (line > source->line_count)
        line = source->line_count;
    source_error(report, "syntax", source_span_at(source, source->line_starts[line - 1], 1), "%s",
                 config_error_text(parser));
}

static bool read_parsed(struct reader *reader, const config_t *parser,
                        const struct source_node *root)
{
    struct cursor top = {config_lookup(parser, SOURCE_SCAN_ROOT_NAME), root};
    if (!trees_agree(top.parsed, root)) {
        source_error(reader->report, "syntax", source_span_at(root->source, 0, 1),
                     "this file cannot be read without doubt about its structure");
        return false;
    }
    read_keys(reader, &top, &file_keys, reader->settings);
    return true;
}

/* False when the file as a whole could not be understood. */
static bool read_source(struct reader *reader, const struct source *source)
{
    if (reader->settings->folder.length == 0)
        reader->settings->folder = source->folder;
    struct source_scan scan = source_scan(&reader->settings->arena, source, reader->report);
    if (scan.root == NULL)
        return false;
    config_t parser;
    config_init(&parser);
    bool parsed = config_read_string(&parser, scan.parser_text) == CONFIG_TRUE;
    if (parsed)
        parsed = read_parsed(reader, &parser, scan.root);
    else
        fault_from_parser(&parser, source, reader->report);
    config_destroy(&parser);
    return parsed;
}

static int compare_paths(const void *left, const void *right)
{
    return strview_compare(*(const struct strview *)left, *(const struct strview *)right);
}

static bool is_configuration(const char *name)
{
    struct strview view = strview_of(name);
    struct strview ending = STRVIEW(".cfg");
    return name[0] != '.' && view.length > ending.length &&
           strview_equal(strview_from(view, view.length - ending.length), ending);
}

/* A name that a person would take for one that is read. */
static void warn_ignored(const struct settings *settings, const char *name,
                         struct config_report *report)
{
    struct strview view = strview_of(name);
    struct strview ending = STRVIEW(".cfg");
    if (name[0] == '.' || view.length <= ending.length ||
        !strview_equal_ignore_case(strview_from(view, view.length - ending.length), ending))
        return;
    source_file_warning(report, "file-ignored", settings->path,
                        "`%s` is not read: only names that end in .cfg, in small letters, are",
                        name);
}

static bool list_folder(struct settings *settings, struct path_list *list,
                        struct config_report *report)
{
    struct strview path = settings->path;
    DIR *folder = opendir(path.data);
    if (folder == NULL) {
        source_file_error(report, "file-unreadable", path, "cannot be opened: %s", strerror(errno));
        return false;
    }
    const char *slash = path.data[path.length - 1] == '/' ? "" : "/";
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!is_configuration(entry->d_name)) {
            warn_ignored(settings, entry->d_name, report);
            continue;
        }
        *ARRAY_PUSH(list) =
            arena_printf(&settings->arena, "%.*s%s%s", STRVIEW_ARGS(path), slash, entry->d_name);
        if (list->count > FILES_MAX)
            break;
    }
    closedir(folder);
    if (list->count > FILES_MAX)
        source_file_error(report, "too-many-files", path, "more than %d files *.cfg", FILES_MAX);
    else if (list->count == 0)
        source_file_error(report, "no-files", path, "there is no file *.cfg in this folder");
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(*list->items), compare_paths);
    return list->count > 0 && list->count <= FILES_MAX;
}

static bool list_files(struct settings *settings, struct path_list *list,
                       struct config_report *report)
{
    struct stat status;
    if (settings->path.length == 0 || stat(settings->path.data, &status) != 0) {
        source_file_error(report, "file-unreadable", settings->path, "cannot be opened: %s",
                          settings->path.length == 0 ? "no path" : strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode))
        return list_folder(settings, list, report);
    *ARRAY_PUSH(list) = settings->path;
    return true;
}

static bool read_files(struct reader *reader, const struct path_list *list)
{
    size_t bytes = 0;
    bool complete = true;
    for (size_t i = 0; i < list->count; i++) {
        struct source *source =
            source_load(&reader->settings->arena, list->items[i], reader->report);
        bytes += source != NULL ? source->text.length : 0;
        if (bytes > ALL_BYTES_MAX) {
            source_file_error(reader->report, "file-too-large", reader->settings->path,
                              "all files together are larger than %d MiB",
                              ALL_BYTES_MAX / (1024 * 1024));
            return false;
        }
        complete = source != NULL && read_source(reader, source) && complete;
    }
    return complete;
}

static struct settings *settings_new(const char *path)
{
    struct settings *settings = memory_zalloc(sizeof(*settings));
    arena_init(&settings->arena, NULL);
    settings->path = arena_copy(&settings->arena, strview_of(path));
    read_defaults(&file_keys, settings);
    return settings;
}

struct settings *settings_load(const char *path, struct config_report *report)
{
    size_t errors_before = report->errors;
    struct settings *settings = settings_new(path);
    struct reader reader = {.settings = settings, .report = report, .module = ROUTE_NO_MODULE};
    struct path_list list = {.items = NULL};
    /* References into a file that could not be read would all look wrong: no check then. */
    if (list_files(settings, &list, report) && read_files(&reader, &list)) {
        settings_check(settings, report);
        if (report->errors > errors_before)
            snapshot_report_faults(settings, report);
    }
    free(list.items);
    if (report->errors == errors_before)
        return settings;
    settings_free(settings);
    return NULL;
}

struct settings *settings_load_text(struct strview path, struct strview text,
                                    struct config_report *report)
{
    size_t errors_before = report->errors;
    struct settings *settings = settings_new("");
    settings->path = arena_copy(&settings->arena, path);
    struct reader reader = {.settings = settings, .report = report, .module = ROUTE_NO_MODULE};
    struct source *source =
        source_from_text(&settings->arena, path, arena_copy(&settings->arena, text));
    if (read_source(&reader, source)) {
        settings_check(settings, report);
        if (report->errors > errors_before)
            snapshot_report_faults(settings, report);
    }
    if (report->errors == errors_before)
        return settings;
    settings_free(settings);
    return NULL;
}

/* As snapshot_build.c completes it. */
static void copy_place(char place[static SETTINGS_PLACE_BYTES], struct strview folder,
                       struct strview text)
{
    snprintf(place, SETTINGS_PLACE_BYTES, "%.*s%.*s", STRVIEW_ARGS(folder), STRVIEW_ARGS(text));
}

bool settings_find_admin(const char *path, struct settings_admin *ret_admin, struct fault *fault)
{
    struct config_report report;
    config_report_init(&report);
    struct settings *settings = settings_new(path);
    struct reader reader = {.settings = settings, .report = &report, .module = ROUTE_NO_MODULE};
    struct path_list list = {.items = NULL};
    bool found = list_files(settings, &list, &report);
    if (found) {
        read_files(&reader, &list);
        copy_place(ret_admin->address, STRVIEW_NONE, settings->admin.address.text);
        bool is_set = settings->state_dir.node != NULL;
        copy_place(ret_admin->state_dir, is_set ? STRVIEW_NONE : settings->folder,
                   is_set ? settings->state_dir.text : STRVIEW("state"));
    } else {
        fault_set(fault, "`%s`: %.*s", path, STRVIEW_ARGS(report.faults[0].text));
    }
    free(list.items);
    settings_free(settings);
    config_report_done(&report);
    return found;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    name_index_done(&settings->listeners.names);
    name_index_done(&settings->backends.names);
    name_index_done(&settings->modules.names);
    name_index_done(&settings->routes.names);
    free(settings->listeners.items);
    free(settings->backends.items);
    free(settings->modules.items);
    free(settings->routes.items);
    arena_done(&settings->arena);
    free(settings);
}
