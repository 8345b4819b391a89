# The Debian package, made by script/package with CPack from the release build.
file(READ ${CMAKE_SOURCE_DIR}/script/users.sh MAKE_USERS)
configure_file(script/deb/postinst.in deb/postinst @ONLY)
file(CHMOD ${CMAKE_CURRENT_BINARY_DIR}/deb/postinst
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME correio)
set(CPACK_PACKAGE_VENDOR Correio)
set(CPACK_PACKAGE_CONTACT "Correio <correio@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "mail server with a dashboard, over PostgreSQL")
set(CPACK_PACKAGE_DESCRIPTION "One daemon does the whole path of a message: SMTP, LMTP, queue, delivery, IMAP and POP3.
Accounts, mailboxes, messages and the queue live in PostgreSQL. A REST API, a dashboard and correioctl run it.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/correio_package_files.cmake)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # the tests are not built for it
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql-15 | postgresql (>= 15)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/deb/postinst ${CMAKE_SOURCE_DIR}/script/deb/prerm
    ${CMAKE_SOURCE_DIR}/script/deb/postrm ${CMAKE_SOURCE_DIR}/script/deb/conffiles)
include(CPack)
