#include "proxy/routing/side.h"

static const struct strview side_names[SIDE_COUNT] = {
    [SIDE_NONE] = {"none", 4},
    [SIDE_LEGACY] = {"legacy", 6},
    [SIDE_EXTRACTED] = {"extracted", 9},
};

static const struct strview stage_names[STAGE_COUNT] = {
    [STAGE_LEGACY] = {"legacy", 6}, [STAGE_SHADOW] = {"shadow", 6},   [STAGE_RAMP] = {"ramp", 4},
    [STAGE_LIVE] = {"live", 4},     [STAGE_RETIRED] = {"retired", 7},
};

static const struct strview owner_names[WRITE_OWNER_COUNT] = {
    [WRITE_OWNER_LEGACY] = {"legacy", 6},
    [WRITE_OWNER_EXTRACTED] = {"extracted", 9},
    [WRITE_OWNER_FOLLOW] = {"follow", 6},
};

static const struct strview reason_names[REASON_COUNT] = {
    [REASON_DEFAULT] = {"default", 7},
    [REASON_ROUTE] = {"route", 5},
    [REASON_DENY] = {"deny", 4},
    [REASON_AMBIGUOUS] = {"ambiguous", 9},
    [REASON_STAGE] = {"stage", 5},
    [REASON_RETIRED] = {"retired", 7},
    [REASON_BUCKET] = {"bucket", 6},
    [REASON_NO_IDENTITY] = {"no_identity", 11},
    [REASON_WRITE_OWNER] = {"write_owner", 11},
    [REASON_ABORT] = {"abort", 5},
    [REASON_PIN] = {"pin", 3},
    [REASON_OVERRIDE] = {"override", 8},
    [REASON_FREEZE] = {"freeze", 6},
    [REASON_FALLBACK] = {"fallback", 8},
    [REASON_REJECTED] = {"rejected", 8},
    [REASON_REDIRECT] = {"redirect", 8},
};

struct strview side_name(enum side side)
{
    return side_names[side];
}

struct strview stage_name(enum stage stage)
{
    return stage_names[stage];
}

struct strview write_owner_name(enum write_owner owner)
{
    return owner_names[owner];
}

struct strview reason_name(enum reason reason)
{
    return reason_names[reason];
}

/* The index of `text` among `count` names; `count` when it is none of them. */
static unsigned name_index(const struct strview *names, unsigned count, struct strview text)
{
    unsigned i = 0;
    while (i < count && !strview_equal(names[i], text))
        i++;
    return i;
}

bool stage_parse(struct strview text, enum stage *ret_stage)
{
    unsigned index = name_index(stage_names, STAGE_COUNT, text);
    if (index == STAGE_COUNT)
        return false;
    *ret_stage = (enum stage)index;
    return true;
}

bool write_owner_parse(struct strview text, enum write_owner *ret_owner)
{
    unsigned index = name_index(owner_names, WRITE_OWNER_COUNT, text);
    if (index == WRITE_OWNER_COUNT)
        return false;
    *ret_owner = (enum write_owner)index;
    return true;
}
