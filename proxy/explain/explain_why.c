/* Why a request goes where it goes, in a sentence. */
#include "proxy/explain/explain_internal.h"

/* `get` is a method too, one that nobody has heard of (RFC 9110 section 9.1). */
static bool has_small_letters(struct strview text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] >= 'a' && text.data[i] <= 'z')
            return true;
    }
    return false;
}

static const char *rejection_text(const struct explanation *explanation)
{
    const struct request_head *request = &explanation->request;
    if (request->method == METHOD_OTHER && explanation->verdict.status == 501 &&
        has_small_letters(request->method_text))
        return "The request method is not supported; case matters in methods.";
    if (explanation->verdict.status != 0)
        return explanation->verdict.detail;
    if (explanation->request.path_kind == PATH_AMBIGUOUS)
        return "different programs would read this path differently (ambiguous_paths = \"refuse\")";
    if (explanation->request.path_kind == PATH_INVALID)
        return "this is no valid path";
    return "the rewritten path would not be valid";
}

static const char *deny_text(const struct explanation *explanation)
{
    if (explanation->guard_by_spelling)
        return "a tolerant application could read this path as one that the route guards";
    return explanation->plan.route->deny_status != 0
               ? "the route refuses every request"
               : "the client's address is not in the route's `allow`";
}

static const char *stage_text(const struct explanation *explanation)
{
    return explanation->plan.side == SIDE_EXTRACTED
               ? "in this stage all reads go to the extracted side"
               : "in this stage all reads go to the legacy side";
}

static const char *bucket_text(const struct explanation *explanation)
{
    return explanation->plan.side == SIDE_EXTRACTED
               ? "the bucket is below the threshold: the extracted side"
               : "the bucket is not below the threshold: the legacy side";
}

static const char *write_text(const struct explanation *explanation)
{
    if (explanation->plan.module->write_owner == WRITE_OWNER_FOLLOW)
        return "writes go where the reads of the same identity go";
    return "writes go to one side, whatever the percent";
}

const char *explain_why(const struct explanation *explanation)
{
    switch (explanation->plan.reason) {
    case REASON_DEFAULT:
        return "no route takes this request: the default backend";
    case REASON_ROUTE:
        return "the route belongs to no module and names its backend";
    case REASON_DENY:
        return deny_text(explanation);
    case REASON_AMBIGUOUS:
        return "the path can be read in two ways: sent unchanged to the default backend";
    case REASON_STAGE:
        return stage_text(explanation);
    case REASON_RETIRED:
        return "a retired module has no legacy side";
    case REASON_BUCKET:
        return bucket_text(explanation);
    case REASON_NO_IDENTITY:
        return "no source of an identity applies to this request: the legacy side";
    case REASON_WRITE_OWNER:
        return write_text(explanation);
    case REASON_REJECTED:
        return rejection_text(explanation);
    case REASON_ABORT:
        return "the module is aborted: all reads stay on the legacy side until `resume`";
    case REASON_FREEZE:
        return "writes of the module are held: by `freeze`, or while their owner is changed";
    case REASON_PIN:
        return "the client wrote a moment ago, and reads where its write went";
    case REASON_OVERRIDE:
        return "the request chose its side, and may";
    case REASON_FALLBACK: /* nobody knows beforehand */
    case REASON_REDIRECT: /* depends on the listener */
    case REASON_COUNT:
        break;
    }
    return "decided by the state of the running proxy";
}
