#include "store/bootstrap.h"
#include "base/encode.h"
#include "store/account.h"

#include <openssl/evp.h>

#define ACTOR STR("{\"kind\": \"local\", \"via\": \"correiod\"}")

/* The invited system administrator, and its local domain when that is missing. */
static enum result make_admin(struct db *db, struct str address)
{
    const struct str domain_name = str_from(address, str_rchr(address, '@') + 1);
    const struct audit domain_audit = { .actor = ACTOR, .action = STR("domain.create"), .objects = &domain_name, .n_objects = 1 };
    const struct audit account_audit = { .actor = ACTOR, .action = STR("account.create"), .objects = &address, .n_objects = 1 };
    const struct domain_write domain = { .name = domain_name, .kind = DOMAIN_LOCAL };
    const struct account_write admin = { .address = address, .name = STR("Administrator"), .role = ROLE_SYSTEM_ADMIN };
    int64_t id;
    enum result r = domain_create(db, &domain, &domain_audit);

    if (r != RES_OK && r != RES_EXISTS)
        return r;
    r = account_create(db, &admin, &account_audit, &id);
    return r == RES_EXISTS || r == RES_NOTFOUND ? RES_CONFLICT : r;
}

enum result bootstrap_wanted(struct db *db)
{
    static const struct db_stmt stmt = { "bootstrap_wanted",
        "SELECT EXISTS (SELECT FROM account WHERE role = 2 AND state IN (1, 2, 3))" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    return db_get_int(&rows, 0, 0) != 0 ? RES_EXISTS : RES_OK;
}

enum result bootstrap_admin(struct db *db, struct arena *a, struct str address, struct str verifier)
{
    const struct audit audit = { .actor = ACTOR, .action = STR("account.password"), .objects = &address, .n_objects = 1 };
    struct credential_account account;
    struct credential *credentials;
    size_t n;
    enum result r = credential_find(db, address, STR_NULL, STR_NULL, a, &account, &credentials, &n);

    if (r == RES_NOTFOUND) {
        r = make_admin(db, address);
        if (r == RES_OK)
            r = credential_find(db, address, STR_NULL, STR_NULL, a, &account, &credentials, &n);
    }
    if (r != RES_OK)
        return r;
    if (account.role != ROLE_SYSTEM_ADMIN || account.state != ACCOUNT_INVITED)
        return RES_CONFLICT;
    r = credential_set_password(db, account.id, verifier, STR_NULL);
    return r == RES_OK ? audit_write(db, &audit) : r;
}

enum result bootstrap_admin_link(struct db *db, struct arena *a, struct str *ret_secret, struct str *ret_address)
{
    struct credential_account admin;
    unsigned char bytes[32], digest[32];
    struct str secret;
    enum result r = credential_first_admin(db, a, &admin);

    if (r == RES_NOTFOUND) {
        r = make_admin(db, STR("admin@localhost"));
        if (r == RES_OK)
            r = credential_first_admin(db, a, &admin);
    }
    if (r != RES_OK)
        return r;
    random_bytes(bytes, sizeof(bytes));
    secret = base64url_encode(a, str_of((char *)bytes, sizeof(bytes)));
    EVP_Digest(secret.p, secret.len, digest, NULL, EVP_sha256(), NULL);
    r = credential_link_add(db, admin.id, hex_encode(a, str_of((char *)digest, sizeof(digest))), wall_us() + ADMIN_LINK_SECONDS * INT64_C(1000000));
    if (r == RES_OK) {
        *ret_secret = secret;
        *ret_address = admin.address;
    }
    return r;
}
