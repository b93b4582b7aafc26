#include "extracted/service_kit/replica.h"

static const struct row_member user_members[] = {{"id", ROW_INTEGER}, {"username", ROW_TEXT}};
static const struct row_member session_members[] = {
    {"id", ROW_TEXT}, {"user", ROW_INTEGER}, {"expires_ms", ROW_INTEGER}};

const struct row_shape replica_user_shape = {user_members,
                                             sizeof(user_members) / sizeof(user_members[0])};
const struct row_shape replica_session_shape = {session_members, sizeof(session_members) /
                                                                     sizeof(session_members[0])};
