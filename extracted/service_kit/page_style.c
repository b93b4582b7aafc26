#include "extracted/service_kit/page_style.h"

static const char style[] =
    ":root { color-scheme: light dark; --line: #8885; --quiet: #6b6b6b; --leaf: #2f7d4f;"
    " --alarm: #b3261e; }\n"
    "@media (prefers-color-scheme: dark) { :root { --quiet: #a5a5a5; --leaf: #6cc591;"
    " --alarm: #ff8a80; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0 auto; max-width: 46rem; padding: 0 1rem 3rem; font: 1rem/1.55 system-ui,"
    " sans-serif; overflow-wrap: anywhere; }\n"
    "a { color: var(--leaf); text-underline-offset: .2em; text-decoration-thickness: .06em; }\n"
    "time { white-space: nowrap; }\n"
    ".top { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center;"
    " justify-content: space-between; padding: .8rem 0; border-bottom: 3px solid var(--leaf); }\n"
    ".top nav { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; }\n"
    ".name { font-size: 1.3rem; font-weight: bold; text-decoration: none; }\n"
    "h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .5rem; }\n"
    "h2 { font-size: 1.2rem; margin: 0; }\n"
    "h2 a { text-decoration: none; }\n"
    ".by, .likes { color: var(--quiet); margin: 0 0 .5rem; font-size: .9rem; }\n"
    "section { border: 1px solid var(--line); border-radius: .6rem; margin: 1rem 0;"
    " padding: 1rem 1.2rem; }\n"
    ".threads { list-style: none; margin: 0; padding: 0; }\n"
    ".threads li { border-top: 1px solid var(--line); padding: .5rem 0; }\n"
    ".threads .by { display: block; margin: 0; }\n"
    "article { border-top: 1px solid var(--line); padding: .8rem 0; }\n"
    ".text { white-space: pre-line; }\n"
    ".acts { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center;"
    " margin-top: .5rem; }\n"
    ".acts .likes { margin: 0; }\n"
    ".acts button, .acts .button { font-size: .9rem; padding: .25rem .8rem; }\n"
    "form { margin: 0; }\n"
    ".main { display: grid; gap: .5rem; margin: 1.2rem 0; max-width: 34rem; }\n"
    "label { font-weight: 600; }\n"
    "input, textarea { font: inherit; width: 100%; padding: .5rem; border: 1px solid"
    " var(--quiet); border-radius: .4rem; }\n"
    "button, .button { font: inherit; padding: .35rem .9rem; border: 1px solid var(--leaf);"
    " border-radius: .4rem; background: none; color: var(--leaf); cursor: pointer;"
    " text-decoration: none; display: inline-block; }\n"
    ".main button { justify-self: start; background: var(--leaf); color: Canvas; }\n"
    ".fault { color: var(--alarm); margin: 0; }\n"
    ".pages, .crumbs { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: 1rem 0; }\n"
    ".crumbs { gap: .5rem; font-size: .9rem; }\n"
    ".crumbs a + a::before { content: '\\203a'; display: inline-block; margin-right: .5rem; }\n"
    "dt { font-weight: 600; }\n"
    "dd { margin: 0 0 .6rem; }\n";

void page_style(struct database *database, const struct http_request *request,
                struct http_reply *reply)
{
    (void)database;
    (void)request;
    reply->status = 200;
    reply->content_type = "text/css; charset=utf-8";
    http_reply_add_field(reply, "cache-control", "max-age=300");
    body_text_add_string(&reply->body, style);
}
