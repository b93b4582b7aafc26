/*
 * The canonical form of a request path: one form, seen by routing and sent on, so that the proxy
 * and the backends never disagree about what was asked. Pure, any thread.
 */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "proxy/core/arena.h"
#include "proxy/core/strview.h"

enum path_kind {
    PATH_CANONICAL, /* fine */
    PATH_AMBIGUOUS, /* %2f, %5c, %00, backslash or "..;": readers differ about what it means */
    PATH_INVALID,   /* not origin-form, a control character, space, or '%' without two hex digits */
    PATH_ASTERISK,  /* "*", for OPTIONS */
};

/*
 * Splits `target` (origin-form, RFC 9112 section 3.2.1) at the first '?', resolves dot segments
 * (RFC 3986 section 5.2.4) and percent-encodings of unreserved characters (section 6.2.2), and
 * makes the remaining encodings upper case. Repeated slashes stay. Bytes above 0x7f, which no URI
 * has, are encoded, in the query, too: old clients send them, and there is one form to route by.
 * The result views `target` when nothing had to change, else arena memory. For PATH_AMBIGUOUS path
 * and query are `target`'s own, unchanged. For PATH_INVALID nothing is returned. The query, with
 * its '?', is not changed otherwise; it is checked for control characters, space and '#'.
 */
enum path_kind path_canonical(struct arena *arena, struct strview target, struct strview *ret_path,
                              struct strview *ret_query);

/*
 * The form in which a tolerant application might read a path: every encoding decoded (however often
 * it was encoded), lower case, backslash as '/', repeated slashes as one, each segment cut where
 * its name may end (';', NUL, '?', '#'), dot segments resolved. Used to guard routes that allow or
 * deny. Views `path` when nothing changes. Folding twice gives what folding once gives.
 */
struct strview path_folded(struct arena *arena, struct strview path);

/* The same with dot segments left in place, as a reader sees it who does not resolve them. */
struct strview path_folded_literal(struct arena *arena, struct strview path);

#endif
