"""Every check passes on a tidy tree and fails on one that has exactly the fault it is for."""

import os
import tempfile
import unittest

import check_banned
import check_format
import check_layers
import check_listed

FORMAT = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
TIDY = {
    ".clang-format": FORMAT,
    "proxy/LAYERS": "# order\ncore:\nhttp:\nnet: ev\nrouting: pcre2\nmain.c:\n",
    "proxy/CMakeLists.txt": "add_library(proxy_core core/list.c)  # other.c\n",
    "proxy/main.c": '#include "proxy/core/list.h"\n',
    "proxy/core/list.h": "int list_size(void);\n",
    "proxy/core/list.c": '#include "proxy/core/list.h"\n\n#include <stdlib.h>\n',
    "proxy/net/CMakeLists.txt": "add_library(proxy_net loop.c)\n",
    "proxy/net/loop.c": '#include "proxy/core/list.h"\n\n#include <ev.h>\n',
    "proxy/http/path.h": "int path_length(void);\n",
    "proxy/routing/regex.h": "#include <pcre2.h>\n",
    "CMakeLists.txt": "add_executable(strangler proxy/main.c)\n",
    "extracted/users/users.h": '#include "extracted/service_kit/kit.h"\n',
    "monolith_stub/site.h": '#include "site_parts.h"\n',
}


class ArchitectureChecks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        self.write(TIDY)

    def write(self, files):
        for path, text in files.items():
            place = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)

    def assert_fault(self, check, files, expected):
        self.write(files)
        faults = check.find_faults(self.root)
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(expected, faults[0])

    def test_a_tidy_tree_passes_every_check(self):
        for check in (check_banned, check_format, check_layers, check_listed):
            self.assertEqual(check.find_faults(self.root), [], check.__name__)

    def test_an_include_may_not_point_down(self):
        self.assert_fault(check_layers, {"proxy/core/up.h": '\n#include "proxy/net/loop.h"\n'},
                          "proxy/core/up.h:2: ")

    def test_a_relative_include_may_not_point_down_either(self):
        self.assert_fault(check_layers, {"proxy/core/up.h": '#include "../net/loop.h"\n'},
                          "net stands below core")

    def test_a_library_is_included_only_where_the_layers_name_it(self):
        self.assert_fault(check_layers, {"proxy/core/wait.h": "#include <ev.h>\n"},
                          "give ev to core")

    def test_a_library_nobody_named_is_a_fault(self):
        self.assert_fault(check_layers, {"proxy/core/x.h": "#include <glib.h>\n"}, "<glib.h>")

    def test_a_permission_that_nobody_uses_is_a_fault(self):
        self.assert_fault(check_layers, {"proxy/net/loop.c": '#include "proxy/core/list.h"\n'},
                          "nothing in net includes ev")

    def test_a_layer_without_a_folder_is_a_fault(self):
        self.assert_fault(check_layers,
                          {"proxy/LAYERS": TIDY["proxy/LAYERS"].replace("net:", "shadow:\nnet:")},
                          "there is no proxy/shadow")

    def test_a_folder_outside_the_layers_is_a_fault(self):
        self.assert_fault(check_layers, {"proxy/misc/x.h": ""}, "misc is not in proxy/LAYERS")

    def test_the_proxy_includes_nothing_of_the_forum(self):
        self.assert_fault(check_layers, {"proxy/core/x.h": '#include "monolith_stub/site.h"\n'},
                          "outside the folders of proxy/")

    def test_the_monolith_includes_nothing_of_the_proxy(self):
        self.assert_fault(check_layers, {"monolith_stub/x.h": '#include "proxy/core/list.h"\n'},
                          "monolith_stub may not include proxy")

    def test_services_do_not_include_each_other(self):
        self.assert_fault(check_layers, {"extracted/posts/x.h": '#include "extracted/users/a.h"\n'},
                          "extracted/posts may not include extracted/users")

    def test_routing_may_not_ask_the_clock(self):
        self.assert_fault(check_layers, {"proxy/routing/x.h": "#define NOW time(NULL)\n"}, "time()")

    def test_http_may_not_read(self):
        self.assert_fault(check_layers, {"proxy/http/x.h": "#define GET(f) read (f, 0, 0)\n"},
                          "read()")

    def test_members_and_longer_names_are_not_calls_of_the_clock(self):
        self.write({"proxy/http/x.h": "/* time(0) */ #define A(x) (x)->read(1) + x.time(2)\n"
                                      "int my_time(int x);\n"})
        self.assertEqual(check_layers.find_faults(self.root), [])

    def test_routing_may_not_include_time(self):
        self.assert_fault(check_layers, {"proxy/routing/x.h": "#include <time.h>\n"}, "is pure")

    def test_a_banned_call_is_found(self):
        self.assert_fault(check_banned, {"tests/x.c": "int x = 1 +\n atoi(y);\n"},
                          "tests/x.c:2: atoi()")

    def test_banned_calls_in_comments_and_literals_are_not_calls(self):
        self.write({"bench/x.c": '/* gets( */ const char *a = "system(\\"x\\")"; // atoi(\n'})
        self.assertEqual(check_banned.find_faults(self.root), [])

    def test_a_banned_word_is_found_inside_a_name(self):
        self.assert_fault(check_banned, {"bench/x.h": "int my_upstream_count;\n"},
                          "my_upstream_count")

    def test_a_file_name_that_says_nothing_is_found(self):
        self.assert_fault(check_banned, {"proxy/core/string_util.h": ""}, '"util"')

    def test_a_source_that_nothing_builds_is_found(self):
        self.assert_fault(check_listed, {"proxy/core/other.c": ""}, "proxy/core/other.c: no")

    def test_a_list_of_names_may_stand_for_sources(self):
        self.write({"tests/CMakeLists.txt": "foreach(name a b)\nadd_test_of(test_${name}.c)\n",
                    "tests/test_a.c": ""})
        self.assertEqual(check_listed.find_faults(self.root), [])
        self.assert_fault(check_listed, {"tests/test_c.c": ""}, "tests/test_c.c")

    def test_sources_listed_by_a_pattern_are_a_fault(self):
        self.assert_fault(check_listed, {"bench/CMakeLists.txt": "file(GLOB all *.c)\n"}, "pattern")

    def test_a_file_that_the_formatter_would_change_is_found(self):
        self.assert_fault(check_format, {"proxy/core/list.h": "int  list_size(void);\n"},
                          "proxy/core/list.h:1:")


if __name__ == "__main__":
    unittest.main()
