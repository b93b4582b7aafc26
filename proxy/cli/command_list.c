/* `strangler routes`, `backends` and `generation`: what there is. */
#include "proxy/cli/ask.h"
#include "proxy/cli/table.h"

static void print_routes(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    static const char *const heads[] = {"module", "route", "takes", "goes to", "where"};
    (void)invocation;
    struct table table;
    size_t index;
    const json_t *route;
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), 0);
    json_array_foreach(json_object_get(answer, "routes"), index, route)
    {
        struct table_row *row = table_add(&table);
        long long deny = answer_integer(route, "deny");
        table_set(row, 0, COLOUR_BOLD, "%s", answer_text(route, "module"));
        table_set(row, 1, COLOUR_NONE, "%s", answer_text(route, "route"));
        table_set(row, 2, COLOUR_NONE, "%s", answer_text(route, "takes"));
        if (deny > 0)
            table_set(row, 3, COLOUR_NONE, "refused with %lld", deny);
        else
            table_set(row, 3, COLOUR_NONE, "%s", answer_text(route, "goes_to"));
        table_set(row, 4, COLOUR_DIM, "%s:%lld", answer_text(route, "file"),
                  answer_integer(route, "line"));
    }
    table_print(&table, out);
    table_done(&table);
    fprintf(out, "everything else goes to %s\n", answer_text(answer, "default"));
}

int command_routes(const struct invocation *invocation)
{
    return ask_page(invocation, "/routes", print_routes);
}

static void print_endpoint(struct table *table, const json_t *backend, const json_t *endpoint,
                           bool first)
{
    struct table_row *row = table_add(table);
    const char *tls_fault = answer_text(endpoint, "tls_fault");
    bool good = answer_flag(endpoint, "healthy");
    table_set(row, 0, COLOUR_BOLD, "%s", first ? answer_text(backend, "name") : "");
    table_set(row, 1, COLOUR_NONE, "%s", first ? answer_text(backend, "protocol") : "");
    table_set(row, 2, COLOUR_NONE, "%s", answer_text(endpoint, "address"));
    table_set(row, 3, good ? COLOUR_GREEN : COLOUR_RED, "%s%s%s", answer_text(endpoint, "state"),
              tls_fault[0] != '\0' ? ", TLS: " : "", tls_fault);
    table_set(row, 4, COLOUR_NONE, "%lld", answer_integer(endpoint, "weight"));
    table_set(row, 5, COLOUR_NONE, "%lld", answer_integer(endpoint, "failures"));
    table_set(row, 6, COLOUR_NONE, "%lld", answer_integer(endpoint, "ejections"));
}

static void print_backends(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    static const char *const heads[] = {"backend", "protocol", "endpoint", "state",
                                        "weight",  "failures", "ejections"};
    (void)invocation;
    struct table table;
    size_t index;
    size_t number;
    const json_t *backend;
    const json_t *endpoint;
    table_init(&table, heads, sizeof(heads) / sizeof(heads[0]), 0x70);
    json_array_foreach(json_object_get(answer, "backends"), index, backend)
    {
        json_array_foreach(json_object_get(backend, "endpoints"), number, endpoint)
            print_endpoint(&table, backend, endpoint, number == 0);
    }
    table_print(&table, out);
    table_done(&table);
}

int command_backends(const struct invocation *invocation)
{
    return ask_page(invocation, "/backends", print_backends);
}

static void print_generation(const struct invocation *invocation, const json_t *answer, FILE *out)
{
    (void)invocation;
    fprintf(out, "%lld\n", answer_integer(answer, "generation"));
}

int command_generation(const struct invocation *invocation)
{
    return ask_page(invocation, "/generation", print_generation);
}
