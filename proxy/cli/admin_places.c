#include "proxy/cli/admin_places.h"

#include <stdlib.h>
#include <unistd.h>

#include "proxy/cli/usage.h"
#include "proxy/config/settings.h"
#include "proxy/control/admin_access.h"
#include "proxy/core/array.h"

enum { PATH_BYTES = SETTINGS_PLACE_BYTES + 32 };

struct finding {
    const struct invocation *invocation;
    struct admin_places *places;
    struct settings_admin files; /* when has_files */
    bool has_files;
    struct fault fault; /* when not */
};

static const char *name_of(const struct finding *finding)
{
    return finding->invocation->command->name;
}

static bool is_local(const char *address)
{
    return strview_starts_with(strview_of(address), STRVIEW("unix:"));
}

/* What may stand in a URL's authority; curl is given nothing else. */
static bool is_host_and_port(struct strview text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    size_t colon = text.length;
    for (size_t i = 0; i < text.length; i++) {
        if (strchr(allowed, text.data[i]) == NULL)
            return false;
        if (text.data[i] == ':')
            colon = i;
    }
    uint64_t port;
    return colon > 0 && colon < text.length &&
           strview_to_u64(strview_from(text, colon + 1), UINT16_MAX, &port) && port > 0;
}

static int add_place(struct finding *finding, struct strview text)
{
    static const struct strview scheme = {"http://", 7};
    struct admin_places *places = finding->places;
    if (strview_starts_with(text, scheme))
        text = strview_from(text, scheme.length);
    if (text.length > 0 && text.data[text.length - 1] == '/')
        text.length--;
    if (!strview_starts_with(text, STRVIEW("unix:")) && !is_host_and_port(text))
        return usage_fault(name_of(finding),
                           "an admin address is like 127.0.0.1:9901 or unix:/path, not `%.*s`",
                           STRVIEW_ARGS(text));
    if (places->count == ADMIN_PLACES_MAX)
        return usage_fault(name_of(finding), "more than %d proxies", ADMIN_PLACES_MAX);
    places->items[places->count++] =
        (struct admin_place){.address = memory_strndup(text.data, text.length)};
    return EXIT_DONE;
}

/* Several stand with commas between them. */
static int add_list(struct finding *finding, const char *text)
{
    struct strview list = strview_of(text);
    struct strview element;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && strview_next_element(&list, &element))
        status = add_place(finding, element);
    return status;
}

static const char *configuration_of(const struct invocation *invocation)
{
    const char *path = invocation->values[OPTION_CONFIG];
    return path != NULL ? path : "routes";
}

static int find_addresses(struct finding *finding)
{
    const struct option_values *admins = &finding->invocation->admins;
    int status = EXIT_DONE;
    for (size_t i = 0; status == EXIT_DONE && i < admins->count; i++)
        status = add_list(finding, admins->items[i]);
    const char *named = getenv("STRANGLER_ADMIN");
    bool has_config = invocation_has(finding->invocation, OPTION_CONFIG);
    if (status == EXIT_DONE && admins->count == 0 && named != NULL && !has_config)
        status = add_list(finding, named);
    if (status == EXIT_DONE && finding->places->count == 0 && finding->has_files &&
        finding->files.address[0] != '\0')
        status = add_place(finding, strview_of(finding->files.address));
    return status;
}

static int fault_nowhere(const struct finding *finding)
{
    const char *path = configuration_of(finding->invocation);
    if (finding->has_files)
        return usage_fault(name_of(finding), "the configuration `%s` has no `admin` address", path);
    return usage_fault(name_of(finding),
                       "which proxy? --admin ADDRESS or STRANGLER_ADMIN names it, or --config a "
                       "configuration (%s)",
                       finding->fault.text);
}

/* EXIT_DONE also when there is no file: then the proxy will say what it needs. */
static int find_token(struct finding *finding, char token[static ADMIN_TOKEN_BYTES_MAX + 1])
{
    char path[PATH_BYTES];
    struct fault fault;
    const char *named = getenv("STRANGLER_ADMIN_TOKEN_FILE");
    token[0] = '\0';
    if (named != NULL && named[0] != '\0')
        return admin_token_read(named, token, &fault)
                   ? EXIT_DONE
                   : problem(name_of(finding), EXIT_PROBLEM, "%s", fault.text);
    if (!finding->has_files)
        return EXIT_DONE;
    snprintf(path, sizeof(path), "%s/admin.token", finding->files.state_dir);
    if (access(path, F_OK) != 0 || admin_token_read(path, token, &fault))
        return EXIT_DONE;
    return problem(name_of(finding), EXIT_PROBLEM, "%s", fault.text);
}

static int give_tokens(struct finding *finding)
{
    char token[ADMIN_TOKEN_BYTES_MAX + 1];
    struct admin_places *places = finding->places;
    bool needed = false;
    for (size_t i = 0; i < places->count; i++) {
        places->items[i].is_one_of_many = places->count > 1;
        needed = needed || !is_local(places->items[i].address);
    }
    if (!needed)
        return EXIT_DONE;
    int status = find_token(finding, token);
    for (size_t i = 0; i < places->count && status == EXIT_DONE && token[0] != '\0'; i++) {
        if (!is_local(places->items[i].address))
            places->items[i].token = memory_strdup(token);
    }
    explicit_bzero(token, sizeof(token));
    return status;
}

static int find(struct finding *finding)
{
    *finding->places = (struct admin_places){.count = 0};
    finding->has_files = settings_find_admin(configuration_of(finding->invocation), &finding->files,
                                             &finding->fault);
    if (!finding->has_files && invocation_has(finding->invocation, OPTION_CONFIG))
        return problem(name_of(finding), EXIT_PROBLEM, "%s", finding->fault.text);
    return find_addresses(finding);
}

int admin_places_find(const struct invocation *invocation, struct admin_places *ret_places)
{
    struct finding finding = {.invocation = invocation, .places = ret_places};
    int status = find(&finding);
    if (status == EXIT_DONE && ret_places->count == 0)
        return fault_nowhere(&finding);
    return status == EXIT_DONE ? give_tokens(&finding) : status;
}

int admin_places_find_if_named(const struct invocation *invocation, struct admin_places *ret_places)
{
    struct finding finding = {.invocation = invocation, .places = ret_places};
    int status = find(&finding);
    if (status == EXIT_DONE && ret_places->count == 0)
        return EXIT_UNREACHABLE;
    return status == EXIT_DONE ? give_tokens(&finding) : status;
}

void admin_places_done(struct admin_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->items[i].token != NULL)
            explicit_bzero(places->items[i].token, strlen(places->items[i].token));
        free(places->items[i].token);
        free(places->items[i].address);
    }
    places->count = 0;
}
