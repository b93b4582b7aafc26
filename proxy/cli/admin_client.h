/* One question to the admin address of a proxy, and its answer. */
#ifndef CLI_ADMIN_CLIENT_H
#define CLI_ADMIN_CLIENT_H

#include <jansson.h>

#include "proxy/cli/admin_places.h"

struct admin_question {
    const char *method;   /* "GET" or "POST" */
    const char *path;     /* with its query, encoded */
    const json_t *body;   /* of a POST; NULL: none */
    const char *if_match; /* NULL: any generation */
    uint32_t timeout_ms;  /* for all of it */
};

enum admin_outcome {
    ADMIN_ANSWERED,
    ADMIN_UNREACHABLE, /* it was not asked */
    ADMIN_LOST         /* it was asked; whether it did it is not known */
};

enum { ADMIN_FAULT_BYTES = 512 };

struct admin_answer_told {
    enum admin_outcome outcome;
    int status;                    /* of the answer */
    json_t *body;                  /* NULL when it was none; one reference */
    char fault[ADMIN_FAULT_BYTES]; /* for other outcomes */
};

void admin_client_ask(const struct admin_place *place, const struct admin_question *question,
                      struct admin_answer_told *ret_told);
void admin_client_done(struct admin_answer_told *told);

/* Percent-encoded for a path or a query; free with free(). */
char *admin_client_encode(const char *text);

/* "/modules/NAME/stage" with the name encoded; free with free(). `rest` begins with '/' or is "".
 */
char *admin_client_module_path(const char *name, const char *rest);

#endif
