# Run by CPack over the staged files: what stands outside /usr.
file(COPY ${CMAKE_CURRENT_LIST_DIR}/../script/deb/correio.conf DESTINATION ${CPACK_TEMPORARY_DIRECTORY}/etc/correio)
