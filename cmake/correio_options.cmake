# Compiler and linker flags for everything that is built here.
option(CORREIO_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(CORREIO_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(CORREIO_TESTS "Build the tests" ON)

add_compile_options(
    -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wimplicit-fallthrough -Wnull-dereference
    -Werror -fno-common -fno-omit-frame-pointer -fvisibility=hidden)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wlogical-op -Wduplicated-cond -Wformat-signedness)
endif()
add_compile_definitions(_GNU_SOURCE)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # assert() stays on in release builds: it guards against our own mistakes.
    set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|i.86")
        add_compile_options(-fcf-protection=full)
        add_link_options(-Wl,-z,ibt,-z,shstk) # with link-time optimization the pieces of debug information do not say so
    endif()
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT CMAKE_INTERPROCEDURAL_OPTIMIZATION LANGUAGES C)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-pie)

if(CORREIO_SANITIZE OR CORREIO_FUZZ)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
endif()
if(CORREIO_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
elseif(CORREIO_SANITIZE)
    check_linker_flag(C -fuse-ld=gold gold) # a hundred tests are linked in half the time
    if(gold)
        add_link_options(-fuse-ld=gold)
    endif()
endif()
