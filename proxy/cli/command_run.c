#include "proxy/cli/command_run.h"

#include "proxy/cli/usage.h"
#include "proxy/control/control.h"
#include "proxy/core/strview.h"

static const char help[] =
    "usage: strangler run [DIR|FILE]\n"
    "\n"
    "Serves a configuration: every *.cfg of a folder (default: routes), or one file.\n"
    "\n"
    "Signals:\n"
    "  HUP        read the files again; a faulty configuration changes nothing\n"
    "  TERM, INT  stop now\n"
    "  QUIT       take nothing new, finish what was begun, then stop\n"
    "  USR1       reopen the access log\n"
    "\n"
    "Exit status: 0 after an orderly end, 1 when it could not start, 2 bad usage.\n";

int command_run(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "routes";
    if (strview_equal(strview_of(path), STRVIEW("--help")) ||
        strview_equal(strview_of(path), STRVIEW("-h"))) {
        fputs(help, stdout);
        return 0;
    }
    if (path[0] == '-')
        return usage_fault("run", "there is no option `%s`", path);
    if (argc > 2)
        return usage_fault("run", "`%s` is one word too many", argv[2]);
    return control_run(path);
}
