/* base/log.h - structured log lines on standard error: one line an event, a fixed name and named fields.
 *
 *   log_info("smtp-accepted", F_STR("session", s->id), F_INT("size", n));
 *   2026-11-27T20:40:00.123Z info smtp smtp-accepted session=9f2c size=512          (or one JSON object a line)
 *
 * Values are escaped: no injected newline.  Never log a password or a body.  Leaf modules return errors, the
 * handler logs once.  A line is one write(2). */
#pragma once
#include "base/macros.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    enum { LOG_F_STR, LOG_F_INT, LOG_F_QUEUE_ID } kind;
    struct str s;
    int64_t i;
};

#define F_STR(name_, str_) { .name = (name_), .kind = LOG_F_STR, .s = (str_) }
#define F_C(name_, cstr_) { .name = (name_), .kind = LOG_F_STR, .s = str_c(cstr_) }
#define F_INT(name_, int_) { .name = (name_), .kind = LOG_F_INT, .i = (int64_t)(int_) }
#define F_QUEUE_ID(name_, id_) { .name = (name_), .kind = LOG_F_QUEUE_ID, .i = (id_) } /* as people see it: q16j */

/* `process` names this process in each line and must live as long as it.  Default: logfmt, LOG_INFO. */
void log_init(const char *process, enum log_level least, bool json);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define LOG_AT(level_, event_, ...)                                                                                \
    do {                                                                                                           \
        if (log_enabled(level_)) {                                                                                 \
            const struct log_field log_fields_[] = { __VA_ARGS__ };                                                \
            log_write((level_), (event_), log_fields_, sizeof(log_fields_) / sizeof(log_fields_[0]));              \
        }                                                                                                          \
    } while (0)
#define log_debug(event, ...) LOG_AT(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR, event, __VA_ARGS__)
