/* A mismatch as it is kept: the differences that are real, and both answers, without secrets. */
#include "proxy/compare/decode.h"
#include "proxy/compare/utf8.h"
#include "proxy/shadow/judge_internal.h"
#include "proxy/shadow/redact.h"

enum { EXAMPLE_BODY_BYTES = 16 * 1024 };

struct recording {
    const struct shadow *shadow;
    struct arena *arena;
    struct strview path_template;
    struct redaction redaction;
    struct strview bodies[2]; /* decoded, then redacted */
};

static struct strview decoded(const struct recording *recording, enum shadow_answer answer)
{
    const struct capture *capture = &recording->shadow->answers[answer];
    struct strview body = STRVIEW("");
    decode_body(recording->arena,
                answer_field(recording->arena, &capture->headers, STRVIEW("content-encoding")),
                capture_view(capture), COMPARE_DECODED_BYTES_MAX, &body);
    return body;
}

static bool is_form(struct strview content_type)
{
    struct strview type = strview_make(content_type.data, strview_find(content_type, ';'));
    return strview_equal_ignore_case(strview_trim(type),
                                     STRVIEW("application/x-www-form-urlencoded"));
}

static void collect_secrets(struct recording *recording)
{
    const struct shadow *shadow = recording->shadow;
    redaction_add_headers(&recording->redaction, &shadow->headers[0]);
    for (int i = 0; i < 2; i++) {
        redaction_add_headers(&recording->redaction, &shadow->answers[i].headers);
        redaction_add_json(&recording->redaction, recording->bodies[i]);
    }
    if (shadow->requests[0].query.length > 0)
        redaction_add_form(&recording->redaction, strview_from(shadow->requests[0].query, 1));
    struct strview body = capture_view(&shadow->body);
    struct strview type =
        answer_field(recording->arena, &shadow->headers[0], STRVIEW("content-type"));
    if (is_form(type))
        redaction_add_form(&recording->redaction, body);
    else
        redaction_add_json(&recording->redaction, body);
}

/* The excerpts of the first comparison may hold pieces of secrets: it is made again without them.
 */
static void compare_redacted(const struct recording *recording, struct comparison *ret_comparison)
{
    const struct shadow *shadow = recording->shadow;
    struct compared_answer answers[2];
    struct headers plain[2];
    for (int i = 0; i < 2; i++) {
        const struct headers *headers = &shadow->answers[i].headers;
        headers_init(&plain[i]);
        for (uint32_t j = 0; j < headers->count; j++) {
            const struct header_field *field = &headers->fields[j];
            if (!strview_equal(field->name, STRVIEW("content-encoding")))
                headers_add(&plain[i], recording->arena, field->token, field->name,
                            redact_field(&recording->redaction, field));
        }
        answers[i] = (struct compared_answer){shadow->answers[i].status, &plain[i],
                                              recording->bodies[i], true};
    }
    comparison_run(&shadow->policy->rules, &answers[0], &answers[1], recording->arena,
                   ret_comparison);
}

static const struct difference *find(const struct difference_list *list,
                                     const struct difference *wanted)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind == wanted->kind &&
            strview_equal(list->items[i].field, wanted->field))
            return &list->items[i];
    }
    return NULL;
}

static struct difference_side side_of(const struct recording *recording, enum shadow_answer answer,
                                      struct strview excerpt)
{
    const struct capture *capture = &recording->shadow->answers[answer];
    struct strview body = recording->bodies[answer];
    return (struct difference_side){
        .status = capture->status,
        .head = redact_headers(&recording->redaction, &capture->headers),
        .body = utf8_clip(body, EXAMPLE_BODY_BYTES),
        .excerpt = excerpt,
    };
}

static struct difference_example example_of(const struct recording *recording,
                                            const struct difference *difference,
                                            const struct difference *shown)
{
    const struct shadow *shadow = recording->shadow;
    const struct redaction *redaction = &recording->redaction;
    const struct backend_request *request = &shadow->requests[0];
    struct strview path = redact_text(redaction, shadow->original_path);
    struct strview query = redact_query(request->query, recording->arena);
    struct strview hidden = STRVIEW("(redacted)");
    return (struct difference_example){
        .group = {shadow->policy->module, redact_text(redaction, recording->path_template),
                  redact_text(redaction, difference->field), difference->kind},
        .route = shadow->route,
        .method = request->method_text,
        .path = arena_printf(recording->arena, "%.*s%.*s", STRVIEW_ARGS(path), STRVIEW_ARGS(query)),
        .request_id = shadow->request_id,
        .unix_ms = shadow->unix_ms,
        .first = side_of(recording, ANSWER_FIRST, shown != NULL ? shown->first : hidden),
        .second = side_of(recording, ANSWER_SECOND, shown != NULL ? shown->second : hidden),
    };
}

void judge_record(struct judge *judge, const struct shadow *shadow, struct strview path_template,
                  const struct difference_list *real, struct arena *arena)
{
    const struct difference_store *store = judge_store(judge);
    if (store == NULL)
        return;
    struct recording *recording = arena_zalloc(arena, sizeof(*recording));
    struct comparison *shown = arena_zalloc(arena, sizeof(*shown));
    recording->shadow = shadow;
    recording->arena = arena;
    recording->path_template = path_template;
    redaction_init(&recording->redaction, &shadow->policy->redact, judge->key, arena);
    recording->bodies[0] = decoded(recording, ANSWER_FIRST);
    recording->bodies[1] = decoded(recording, ANSWER_SECOND);
    collect_secrets(recording);
    for (int i = 0; i < 2; i++)
        recording->bodies[i] = redact_body(&recording->redaction, recording->bodies[i]);
    compare_redacted(recording, shown);
    for (uint32_t i = 0; i < real->count; i++) {
        struct difference_example example =
            example_of(recording, &real->items[i], find(&shown->differences, &real->items[i]));
        store->record(store->context, &example);
    }
}
