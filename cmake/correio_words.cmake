# correio_words(MODULE NAME LANGUAGE): the dashboard's catalogue web/i18n/NAME.LANGUAGE.json as entries { key, text } of a table,
# for #include "NAME_words_LANGUAGE.inc" in the folder's module.
function(correio_words module name language)
    set(json ${CMAKE_SOURCE_DIR}/web/i18n/${name}.${language}.json)
    set(awk ${CMAKE_SOURCE_DIR}/cmake/words.awk)
    set(inc ${CMAKE_CURRENT_BINARY_DIR}/${name}_words_${language}.inc)
    add_custom_command(OUTPUT ${inc} COMMAND awk -f ${awk} ${json} > ${inc} DEPENDS ${awk} ${json} VERBATIM)
    target_sources(correio_${module} PRIVATE ${inc})
    target_include_directories(correio_${module} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
