#include "monolith_stub/options.h"

#include <getopt.h>
#include <stdio.h>

static const char help_text[] =
    "Usage: monolith_stub [--listen ADDRESS:PORT] [--database FILE]\n"
    "\n"
    "The forum as one program, HTTP/1.1.\n"
    "\n"
    "  --listen ADDRESS:PORT  where to listen; port 0 picks a free one (default 127.0.0.1:3000)\n"
    "  --database FILE        the SQLite file, made and filled when new (default monolith.db)\n"
    "  --help                 print this and exit\n";

enum options_outcome options_read(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"database", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.listen = "127.0.0.1:3000", .database = "monolith.db"};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            options.listen = optarg;
            break;
        case 'd':
            options.database = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return OPTIONS_HELP;
        default: /* getopt_long has named the fault */
            fputs("monolith_stub: try --help\n", stderr);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "monolith_stub: unexpected argument '%s'; try --help\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    *ret_options = options;
    return OPTIONS_RUN;
}
