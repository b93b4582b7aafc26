/* `strangler run`: serves a configuration until a signal ends it. */
#include "proxy/cli/command.h"
#include "proxy/control/control.h"

int command_run(const struct invocation *invocation)
{
    return control_run(invocation->word_count > 0 ? invocation->words[0] : "routes");
}
