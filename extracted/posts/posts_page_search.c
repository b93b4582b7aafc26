#include "extracted/posts/posts_pages.h"
#include "extracted/posts/posts_queries.h"
#include "extracted/posts/search_words.h"
#include "extracted/service_kit/authors.h"
#include "extracted/service_kit/page_form.h"

/* What was asked for, and what was found. */
struct search {
    struct http_view words; /* as they were typed */
    const char *fault;      /* NULL: they can be searched for, if there are any */
    struct body_text expression;
    struct page_list list;
};

/* /forum/search?q=…&page=, with the words encoded again. */
static void write_path(struct body_text *path, struct http_view words)
{
    static const char digits[] = "0123456789ABCDEF";
    body_text_add_string(path, "/forum/search?q=");
    for (size_t i = 0; i < words.length; i++) {
        unsigned char byte = (unsigned char)words.bytes[i];
        const char escape[] = {'%', digits[byte >> 4], digits[byte & 15]};
        body_text_add(path, escape, sizeof(escape));
    }
    body_text_add_string(path, "&page=");
}

static void add_form(struct page *page, const struct search *search)
{
    html_add(page->body,
             "<h1>Search</h1>\n<form class=\"main\" method=\"get\" role=\"search\">\n"
             "<label for=\"q\">Words in posts</label>\n"
             "<input type=\"search\" id=\"q\" name=\"q\" maxlength=\"200\" value=\"{}\">\n"
             "<button>Search</button>\n</form>\n",
             html_view(search->words));
    if (search->fault != NULL)
        html_add(page->body, "<p class=\"fault\">{}</p>\n", html_string(search->fault));
}

/* False: logged. */
static bool add_found(struct page *page, const struct search *search,
                      const struct post_listing *listing)
{
    struct body_text path;
    html_add(page->body, "<p>Found: {}</p>\n", html_number(search->list.total));
    sqlite3_stmt *rows = posts_listing_begin(page->database, listing, search->list.page);
    while (database_next(rows))
        posts_page_add_post(page, rows, false);
    body_text_init(&path, HTTP_REPLY_LIMIT);
    write_path(&path, search->words);
    page_links(page, (struct http_view){path.bytes, path.length}, &search->list);
    body_text_done(&path);
    return database_end(page->database, rows);
}

/* False: logged. */
static bool show(struct page *page, struct search *search)
{
    struct post_listing listing = {.expression = &search->expression, .viewer = page->visitor.user};
    struct json_ids unknown = {0};
    bool has_words = search->fault == NULL && search->expression.length > 0;
    bool is_good =
        !has_words ||
        (posts_listing_count(page->database, &listing, &search->list.total) &&
         authors_collect(page->database,
                         posts_listing_begin(page->database, &listing, search->list.page),
                         POST_AUTHOR, POST_USERNAME, &unknown));
    if (is_good && !page_ask_names(page, &unknown))
        return true;
    page_begin_named(page, "Search");
    add_form(page, search);
    if (is_good && has_words)
        is_good = add_found(page, search, &listing);
    page_end(page);
    if (search->fault != NULL)
        page->reply->status = 422;
    return is_good;
}

void posts_page_search(struct database *database, const struct http_request *request,
                       struct http_reply *reply)
{
    struct page page;
    struct form form;
    struct search search = {.fault = NULL};
    if (!page_open(&page, database, request, reply) || !page_read_page(&page, &search.list.page))
        return;
    if (!form_read(request->query, &form)) {
        page_reply_status(&page, 400);
        return;
    }
    body_text_init(&search.expression, SEARCH_EXPRESSION_LIMIT);
    search.words = form_value(&form, "q");
    if (search.words.length > 0)
        search.fault = search_words_read(search.words, &search.expression);
    if (!show(&page, &search))
        page_reply_status(&page, 500);
    body_text_done(&search.expression);
    form_done(&form);
}
