#include "proxy/shadow/shadow_policy.h"

const struct strview shadow_drop_names[SHADOW_DROP_COUNT] = {
    [SHADOW_DROP_QUEUE_FULL] = STRVIEW("queue_full"),
    [SHADOW_DROP_MEMORY] = STRVIEW("memory"),
    [SHADOW_DROP_BODY_LIMIT] = STRVIEW("body_limit"),
    [SHADOW_DROP_DEADLINE] = STRVIEW("deadline"),
    [SHADOW_DROP_BACKEND_DOWN] = STRVIEW("backend_down"),
    [SHADOW_DROP_UNSAFE] = STRVIEW("unsafe"),
    [SHADOW_DROP_UPGRADE] = STRVIEW("upgrade"),
    [SHADOW_DROP_CLIENT_GONE] = STRVIEW("client_gone"),
    [SHADOW_DROP_SHED] = STRVIEW("shed"),
};

const struct strview verdict_names[VERDICT_COUNT] = {
    [VERDICT_MATCH] = STRVIEW("match"),
    [VERDICT_MISMATCH] = STRVIEW("mismatch"),
    [VERDICT_RACE] = STRVIEW("race"),
    [VERDICT_NOISE] = STRVIEW("noise"),
    [VERDICT_LEARNING] = STRVIEW("learning"),
    [VERDICT_ACCEPTED] = STRVIEW("accepted"),
    [VERDICT_NOT_COMPARABLE] = STRVIEW("not_comparable"),
    [VERDICT_ERROR] = STRVIEW("error"),
};
