# Language, warnings and hardening for every target of the project.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(STRANGLER_WERROR "Warnings are errors" ON)
option(STRANGLER_FUZZ "Build the libFuzzer programs (needs clang)" OFF)
set(STRANGLER_SANITIZE "" CACHE STRING "Value for -fsanitize=, for example address,undefined")

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(project_options INTERFACE _GNU_SOURCE
    STRANGLER_VERSION="${PROJECT_VERSION}")
target_compile_options(project_options INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum
    -Wformat=2 -Wvla -Wundef
    $<$<BOOL:${STRANGLER_WERROR}>:-Werror>
    -fno-common -fstack-protector-strong)
target_link_options(project_options INTERFACE -Wl,-z,relro -Wl,-z,now)

if(STRANGLER_SANITIZE)
    target_compile_options(project_options INTERFACE -fsanitize=${STRANGLER_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(project_options INTERFACE -fsanitize=${STRANGLER_SANITIZE})
else()
    # Fortify needs optimisation, and only hides faults from a sanitizer.
    target_compile_options(project_options INTERFACE
        $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g -DNDEBUG")

# A request passes through a dozen of our libraries: the program is optimised as a whole. Everything
# else that is linked from them, tests and micro-benchmarks, is linked the quick way.
define_property(TARGET PROPERTY OPTIMISE_AS_A_WHOLE BRIEF_DOCS "Linked with -flto"
    FULL_DOCS "Linked with -flto in release builds by GCC")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT STRANGLER_SANITIZE)
    add_compile_options($<$<CONFIG:Release>:-flto=auto> $<$<CONFIG:Release>:-ffat-lto-objects>)
    set(as_a_whole $<BOOL:$<TARGET_PROPERTY:OPTIMISE_AS_A_WHOLE>>)
    add_link_options(
        $<$<CONFIG:Release>:$<IF:${as_a_whole},-flto=auto,-fno-lto>>)
endif()

include(CheckPIESupported)
check_pie_supported()
