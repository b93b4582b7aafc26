#include "monolith_stub/pages/page.h"

#include <string.h>

#include "monolith_stub/input/form.h"
#include "monolith_stub/people/cookies.h"

static const char policy[] =
    "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'";

static void append_login_state(const struct request *request, struct reply *reply)
{
    struct text *out = &reply->body;
    const struct visitor *visitor = &request->visitor;
    if (visitor->user == 0) {
        html_raw(out, "<a href=\"/forum/login\">Log in</a> "
                      "<a href=\"/forum/register\">Register</a>\n");
        return;
    }
    const char *name = visitor->username[0] != 0 ? visitor->username : "someone";
    html(out,
         "<span>Logged in as <a href=\"/forum/u/{}\">{}</a></span>\n"
         "<form method=\"post\" action=\"/forum/logout\">",
         html_number(visitor->user), html_string(name));
    page_csrf_field(request, reply);
    html_raw(out, "<button>Log out</button></form>\n");
}

void page_begin(const struct request *request, struct reply *reply, struct text_view title)
{
    struct text *out = &reply->body;
    reply->status = 200;
    reply->content_type = "text/html; charset=utf-8";
    reply_field(reply, "Content-Security-Policy", policy);
    reply_field(reply, "Cache-Control", "no-store");
    html(out,
         "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<title>{} · The Fig Tree</title>\n"
         "<link rel=\"stylesheet\" href=\"/forum/style.css\">\n</head>\n<body>\n"
         "<header class=\"top\">\n<a class=\"name\" href=\"/forum\">The Fig Tree</a>\n"
         "<nav aria-label=\"Account\">\n<a href=\"/forum/search\">Search</a>\n",
         html_view(title));
    append_login_state(request, reply);
    html_raw(out, "</nav>\n</header>\n<main>\n");
}

void page_begin_named(const struct request *request, struct reply *reply, const char *title)
{
    page_begin(request, reply, (struct text_view){title, strlen(title)});
}

void page_end(struct reply *reply)
{
    html_raw(&reply->body, "</main>\n</body>\n</html>\n");
}

void page_csrf_field(const struct request *request, struct reply *reply)
{
    const struct token *token = visitor_token(&request->visitor);
    struct token fresh;
    struct token_hex csrf;
    if (token->text[0] == 0) {
        if (!token_new(&fresh)) {
            reply->body.failed = true;
            return;
        }
        cookie_set_vsid(request, reply, &fresh);
        token = &fresh;
    }
    if (token_csrf(token, &csrf))
        html(&reply->body, "<input type=\"hidden\" name=\"csrf\" value=\"{}\">",
             html_string(csrf.text));
    else
        reply->body.failed = true;
}

void page_author(struct text *out, sqlite3_stmt *row, int id_column, int username_column)
{
    if (sqlite3_column_type(row, username_column) == SQLITE_NULL)
        html_raw(out, "<span class=\"author\">someone</span>");
    else
        html(out, "<a class=\"author\" href=\"/forum/u/{}\">{}</a>",
             html_column_number(row, id_column), html_column(row, username_column));
}

void page_links(struct text *out, struct text_view path, const struct paging *paging)
{
    if (paging->pages <= 1 && paging->page <= 1)
        return;
    int64_t last = paging->page <= paging->pages ? paging->page - 1 : paging->pages;
    html_raw(out, "<nav class=\"pages\" aria-label=\"Pages\">\n");
    if (paging->page > 1)
        html(out, "<a rel=\"prev\" href=\"{}{}\">Previous</a>\n", html_view(path),
             html_number(last));
    html(out, "<span>Page {} of {}</span>\n", html_number(paging->page),
         html_number(paging->pages));
    if (paging->page < paging->pages)
        html(out, "<a rel=\"next\" href=\"{}{}\">Next</a>\n", html_view(path),
             html_number(paging->page + 1));
    html_raw(out, "</nav>\n");
}

static void answer_words(const struct request *request, struct reply *reply, unsigned status,
                         const char *title, struct text_view detail)
{
    text_clear(&reply->body);
    text_clear(&reply->fields);
    page_begin_named(request, reply, title);
    html(&reply->body, "<h1>{}</h1>\n<p>{}</p>\n<p><a href=\"/forum\">Back to the forum</a></p>\n",
         html_string(title), html_view(detail));
    if (status == 401)
        html_raw(&reply->body, "<p><a href=\"/forum/login\">Log in</a></p>\n");
    page_end(reply);
    reply->status = status;
}

void page_answer_outcome(const struct request *request, struct reply *reply,
                         const struct outcome *outcome)
{
    const char *words = outcome_detail(outcome);
    struct text_view detail = {words, strlen(words)};
    struct text sentence;
    text_init(&sentence, 256);
    if (outcome->kind == OUTCOME_NOT_OWNER) {
        ownership_describe(&sentence, &outcome->ownership);
        detail = (struct text_view){sentence.bytes, sentence.length};
    }
    answer_words(request, reply, outcome_status(outcome->kind), outcome_title(outcome->kind),
                 detail);
    if (outcome->kind == OUTCOME_OUT_OF_REACH)
        reply_field(reply, "Retry-After", "1");
    text_done(&sentence);
}

void page_answer_status(const struct request *request, struct reply *reply, unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
        const char *detail;
    } known[] = {
        {400, "Bad Request", "The request cannot be read."},
        {404, "Not Found", "There is no such page."},
        {405, "Method Not Allowed", "That cannot be done here."},
        {413, "Content Too Large", "The form is larger than 64 KiB."},
        {415, "Unsupported Media Type", "That is not how a form of this forum is sent."},
        {501, "Not Implemented", "That method is not known here."},
        {503, "Service Unavailable", "Too much is waiting already. Try again in a moment."},
        {500, "Internal Server Error", "Something of ours broke."},
    };
    size_t at = 0;
    while (at + 1 < sizeof(known) / sizeof(known[0]) && known[at].status != status)
        at++;
    answer_words(request, reply, known[at].status, known[at].title,
                 (struct text_view){known[at].detail, strlen(known[at].detail)});
}

void page_ask_to_log_in(const struct request *request, struct reply *reply)
{
    struct outcome stranger = visitor_refusal(&request->visitor);
    if (stranger.kind == OUTCOME_NOT_LOGGED_IN)
        reply_see_other(reply, "/forum/login");
    else
        page_answer_outcome(request, reply, &stranger);
}

bool page_read_id(const struct request *request, struct reply *reply, int64_t *ret_id)
{
    if (id_read(request->parameters[0], ret_id))
        return true;
    page_answer_status(request, reply, 404);
    return false;
}

bool page_read_page(const struct request *request, struct reply *reply, int64_t *ret_page)
{
    struct form form;
    struct text_view page;
    if (!form_read(request->query, &form)) {
        page_answer_status(request, reply, 400);
        return false;
    }
    form_find(&form, "page", &page);
    bool is_page = page_read(page, ret_page);
    form_done(&form);
    if (!is_page)
        page_answer_status(request, reply, 404);
    return is_page;
}
