# correio_module(NAME [modules...] LIBS targets...): the folder's *.c as static library correio_NAME.
# Includes are always "folder/file.h" from daemon/; what a module may include is what it links (docs/architecture.md).
function(correio_module name)
    cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    add_library(correio_${name} STATIC ${sources})
    target_include_directories(correio_${name} PUBLIC ${CMAKE_SOURCE_DIR}/daemon ${CMAKE_SOURCE_DIR})
    foreach(dep IN LISTS arg_UNPARSED_ARGUMENTS)
        target_link_libraries(correio_${name} PUBLIC correio_${dep})
    endforeach()
    target_link_libraries(correio_${name} PUBLIC ${arg_LIBS})
endfunction()
