#include "extracted/service_kit/page.h"

#include <string.h>
#include <strings.h>

#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/cookies.h"
#include "extracted/service_kit/decimal.h"
#include "extracted/service_kit/form.h"
#include "extracted/service_kit/session.h"

static const char policy[] =
    "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'self'";

bool page_open(struct page *page, struct database *database, const struct http_request *request,
               struct http_reply *reply)
{
    *page = (struct page){
        .database = database, .request = request, .reply = reply, .body = &reply->body};
    return visitor_read(database, request, reply, &page->visitor);
}

bool page_ask_names(struct page *page, struct json_ids *unknown)
{
    struct visitor *visitor = &page->visitor;
    bool is_nameless = visitor->user != 0 && visitor->username[0] == 0;
    if (is_nameless)
        authors_add_unknown(unknown, visitor->user);
    if (!authors_ask(page->request, page->reply, unknown))
        return false;
    struct http_view name = authors_asked_name(page->reply, visitor->user);
    if (is_nameless && name.length < sizeof(visitor->username)) {
        memcpy(visitor->username, name.bytes, name.length);
        visitor->username[name.length] = 0;
    }
    return true;
}

static void add_login_state(struct page *page)
{
    const struct visitor *visitor = &page->visitor;
    if (visitor->user == 0) {
        html_add_constant(page->body, "<a href=\"/forum/login\">Log in</a> "
                                      "<a href=\"/forum/register\">Register</a>\n");
        return;
    }
    const char *name = visitor->username[0] != 0 ? visitor->username : "someone";
    html_add(page->body,
             "<span>Logged in as <a href=\"/forum/u/{}\">{}</a></span>\n"
             "<form method=\"post\" action=\"/forum/logout\">",
             html_number(visitor->user), html_string(name));
    page_csrf_field(page);
    html_add_constant(page->body, "<button>Log out</button></form>\n");
}

void page_begin(struct page *page, struct http_view title)
{
    page->reply->status = 200;
    page->reply->content_type = "text/html; charset=utf-8";
    http_reply_add_field(page->reply, "content-security-policy", policy);
    http_reply_add_field(page->reply, "cache-control", "no-store");
    html_add(page->body,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<title>{} · The Fig Tree</title>\n"
             "<link rel=\"stylesheet\" href=\"/forum/style.css\">\n</head>\n<body>\n"
             "<header class=\"top\">\n<a class=\"name\" href=\"/forum\">The Fig Tree</a>\n"
             "<nav aria-label=\"Account\">\n<a href=\"/forum/search\">Search</a>\n",
             html_view(title));
    add_login_state(page);
    html_add_constant(page->body, "</nav>\n</header>\n<main>\n");
}

void page_begin_named(struct page *page, const char *title)
{
    page_begin(page, (struct http_view){title, strlen(title)});
}

void page_end(struct page *page)
{
    html_add_constant(page->body, "</main>\n</body>\n</html>\n");
}

/* A visitor without a token gets one. */
static bool ensure_token(struct page *page)
{
    struct token *token = &page->visitor.token;
    if (token->text[0] != 0)
        return true;
    if (!token_new(token))
        return false;
    cookie_set_vsid(page->request, page->reply, token);
    return true;
}

void page_csrf_field(struct page *page)
{
    struct token_csrf word;
    if (ensure_token(page) && token_csrf_of(&page->visitor.token, &word))
        html_add(page->body, "<input type=\"hidden\" name=\"csrf\" value=\"{}\">",
                 html_string(word.text));
    else
        page->body->overflowed = true; /* a form without its word is not sent */
}

void page_author(struct page *page, sqlite3_stmt *row, int id_column, int username_column)
{
    struct html_value name = html_column(row, username_column);
    if (sqlite3_column_type(row, username_column) == SQLITE_NULL)
        name = html_view(authors_asked_name(page->reply, sqlite3_column_int64(row, id_column)));
    if (name.text.length == 0)
        html_add_constant(page->body, "<span class=\"author\">someone</span>");
    else
        html_add(page->body, "<a class=\"author\" href=\"/forum/u/{}\">{}</a>",
                 html_column_number(row, id_column), name);
}

int64_t page_list_offset(const struct page_list *list)
{
    return (list->page - 1) * PAGE_ROWS;
}

int64_t page_list_pages(const struct page_list *list)
{
    return list->total > 0 ? (list->total + PAGE_ROWS - 1) / PAGE_ROWS : 1;
}

void page_links(struct page *page, struct http_view path, const struct page_list *list)
{
    struct body_text *body = page->body;
    int64_t pages = page_list_pages(list);
    int64_t previous = list->page <= pages ? list->page - 1 : pages;
    if (pages == 1 && list->page == 1)
        return;
    html_add_constant(body, "<nav class=\"pages\" aria-label=\"Pages\">\n");
    if (list->page > 1)
        html_add(body, "<a rel=\"prev\" href=\"{}{}\">Previous</a>\n", html_view(path),
                 html_number(previous));
    html_add(body, "<span>Page {} of {}</span>\n", html_number(list->page), html_number(pages));
    if (list->page < pages)
        html_add(body, "<a rel=\"next\" href=\"{}{}\">Next</a>\n", html_view(path),
                 html_number(list->page + 1));
    html_add_constant(body, "</nav>\n");
}

/* What the page had so far is gone. */
static void reply_words(struct page *page, unsigned status, const char *title,
                        struct http_view detail)
{
    page->reply->field_count = 0;
    body_text_clear(page->body);
    page_begin_named(page, title);
    html_add(page->body,
             "<h1>{}</h1>\n<p>{}</p>\n<p><a href=\"/forum\">Back to the forum</a></p>\n",
             html_string(title), html_view(detail));
    if (status == 401)
        html_add_constant(page->body, "<p><a href=\"/forum/login\">Log in</a></p>\n");
    page_end(page);
    page->reply->status = status;
}

void page_reply_outcome(struct page *page, const struct outcome *supposed)
{
    const struct outcome known = session_outcome(page->reply, supposed);
    const struct outcome *outcome = &known;
    struct body_text detail;
    body_text_init(&detail, HTTP_REPLY_LIMIT);
    outcome_add_detail(&detail, outcome);
    reply_words(page, outcome_status(outcome), outcome_title(outcome),
                (struct http_view){detail.bytes, detail.length});
    if (outcome->kind == OUTCOME_OUT_OF_REACH)
        http_reply_add_field(page->reply, "retry-after", "1");
    body_text_done(&detail);
}

void page_reply_status(struct page *page, unsigned status)
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
        {431, "Request Header Fields Too Large", "The head of the request is too long."},
        {501, "Not Implemented", "That method is not known here."},
        {503, "Service Unavailable", "Too much is waiting already. Try again in a moment."},
        {500, "Internal Server Error", "Something of ours broke."},
    };
    size_t at = 0;
    while (at + 1 < sizeof(known) / sizeof(known[0]) && known[at].status != status)
        at++;
    reply_words(page, known[at].status, known[at].title,
                (struct http_view){known[at].detail, strlen(known[at].detail)});
}

void page_see_other(struct page *page, const char *location)
{
    http_reply_see_other(page->reply, location);
}

void page_ask_to_log_in(struct page *page)
{
    struct outcome stranger = outcome_of(OUTCOME_NOT_LOGGED_IN);
    stranger = session_outcome(page->reply, &stranger);
    if (stranger.kind == OUTCOME_NOT_LOGGED_IN)
        page_see_other(page, "/forum/login");
    else
        page_reply_outcome(page, &stranger);
}

bool page_read_id(struct page *page, int64_t *ret_id)
{
    if (decimal_read_id(page->request->parameters[0], ret_id))
        return true;
    page_reply_status(page, 404);
    return false;
}

bool page_read_page(struct page *page, int64_t *ret_page)
{
    const size_t most_digits = 9;
    struct form form;
    if (!form_read(page->request->query, &form)) {
        page_reply_status(page, 400);
        return false;
    }
    struct http_view digits = form_value(&form, "page");
    bool is_page = digits.length <= most_digits;
    if (digits.length == 0)
        *ret_page = 1;
    else
        is_page = is_page && decimal_read_id(digits, ret_page);
    form_done(&form);
    if (!is_page)
        page_reply_status(page, 404);
    return is_page;
}
