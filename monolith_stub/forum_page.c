#include "monolith_stub/forum_page.h"

/* Columns of QUERY_FORUM_PAGE. */
enum { THREAD_ID, THREAD_TITLE, STARTER, POST_ID, POST_TEXT, AUTHOR };

static const char page_top[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>The Fig Tree · forum</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; --line: #8885; --quiet: #777; --leaf: #2f7d4f; }\n"
    "body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 1rem/1.55 system-ui, "
    "sans-serif; }\n"
    "header { border-bottom: 3px solid var(--leaf); margin-bottom: 1.5rem; }\n"
    "h1 { margin: 0; font-size: 1.9rem; }\n"
    "header p, .by { color: var(--quiet); margin: 0 0 .8rem; }\n"
    "section { border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 1.4rem; "
    "padding: 1rem 1.2rem .4rem; }\n"
    "h2 { margin: 0; font-size: 1.2rem; }\n"
    "article { border-top: 1px solid var(--line); padding: .6rem 0; }\n"
    "article h3 { margin: 0; font-size: .9rem; color: var(--leaf); }\n"
    "article p { margin: .2rem 0 0; white-space: pre-line; overflow-wrap: anywhere; }\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<header>\n"
    "<h1>The Fig Tree</h1>\n"
    "<p>A forum for people who take old things apart, carefully.</p>\n"
    "</header>\n"
    "<main>\n";

static const char page_end[] = "</main>\n</body>\n</html>\n";

static void append_column(struct text *out, sqlite3_stmt *row, int column)
{
    const char *value = (const char *)sqlite3_column_text(row, column);
    if (value != NULL)
        text_append_html(out, value, (size_t)sqlite3_column_bytes(row, column));
}

static void append_thread_head(struct text *out, sqlite3_stmt *row)
{
    text_append_string(out, "<section id=\"thread-");
    text_append_integer(out, sqlite3_column_int64(row, THREAD_ID));
    text_append_string(out, "\">\n<h2>");
    append_column(out, row, THREAD_TITLE);
    text_append_string(out, "</h2>\n<p class=\"by\">begun by ");
    append_column(out, row, STARTER);
    text_append_string(out, "</p>\n");
}

static void append_post(struct text *out, sqlite3_stmt *row)
{
    text_append_string(out, "<article id=\"post-");
    text_append_integer(out, sqlite3_column_int64(row, POST_ID));
    text_append_string(out, "\">\n<h3>");
    append_column(out, row, AUTHOR);
    text_append_string(out, "</h3>\n<p>");
    append_column(out, row, POST_TEXT);
    text_append_string(out, "</p>\n</article>\n");
}

/* The rows come sorted by thread; a thread without posts is one row without a post. */
static void append_threads(struct text *out, sqlite3_stmt *row)
{
    bool is_open = false;
    int64_t thread_id = 0;
    while (store_next(row)) {
        if (!is_open || sqlite3_column_int64(row, THREAD_ID) != thread_id) {
            text_append_string(out, is_open ? "</section>\n" : "");
            append_thread_head(out, row);
            thread_id = sqlite3_column_int64(row, THREAD_ID);
            is_open = true;
        }
        if (sqlite3_column_type(row, POST_ID) != SQLITE_NULL)
            append_post(out, row);
    }
    text_append_string(out, is_open ? "</section>\n" : "<p>Nobody has said anything yet.</p>\n");
}

void forum_page(struct forum *forum, const struct request *request, struct reply *reply)
{
    (void)request;
    struct store *store = store_pool_take(forum->pool);
    sqlite3_stmt *query = store_begin(store, QUERY_FORUM_PAGE);
    text_append_string(&reply->body, page_top);
    append_threads(&reply->body, query);
    text_append_string(&reply->body, page_end);
    bool complete = store_end(query);
    store_pool_give_back(forum->pool, store);
    if (!complete) {
        reply_fault(reply);
        return;
    }
    reply->status = 200;
    reply->content_type = "text/html; charset=utf-8";
}
