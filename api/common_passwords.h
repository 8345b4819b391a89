/* api/common_passwords.h - passwords of 12 characters and more that are tried first. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* Whether it is one of the list (without case), a row of the keyboard or the alphabet, or a short piece repeated. */
bool password_is_common(struct arena *a, struct str password);
