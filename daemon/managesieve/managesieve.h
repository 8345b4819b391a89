/* managesieve/managesieve.h - the ManageSieve server (RFC 5804): people's own scripts, from their mail programs. */
#pragma once
#include "auth/service.h"

/* One connection, from greeting to LOGOUT. */
service_session managesieve_session;
