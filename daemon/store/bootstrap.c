#include "store/bootstrap.h"
#include "base/encode.h"
#include "store/account.h"

#include <openssl/evp.h>

/* Makes admin@localhost. */
static enum result make_admin(struct db *db)
{
    const struct audit domain_audit = { .actor = STR("{\"kind\": \"local\", \"via\": \"correiod\"}"),
                                        .action = STR("domain.create"),
                                        .objects = (const struct str[]){ STR("localhost") },
                                        .n_objects = 1 };
    const struct audit account_audit = { .actor = domain_audit.actor,
                                         .action = STR("account.create"),
                                         .objects = (const struct str[]){ STR("admin@localhost") },
                                         .n_objects = 1 };
    const struct domain_write domain = { .name = STR("localhost"), .kind = DOMAIN_LOCAL };
    const struct account_write admin = { .address = STR("admin@localhost"), .name = STR("Administrator"), .role = ROLE_SYSTEM_ADMIN };
    int64_t id;
    enum result r = domain_create(db, &domain, &domain_audit);

    if (r != RES_OK && r != RES_EXISTS)
        return r;
    r = account_create(db, &admin, &account_audit, &id);
    return r == RES_EXISTS || r == RES_NOTFOUND ? RES_CONFLICT : r;
}

enum result bootstrap_admin_link(struct db *db, struct arena *a, struct str *ret_secret, struct str *ret_address)
{
    struct credential_account admin;
    unsigned char bytes[32], digest[32];
    struct str secret;
    enum result r = credential_first_admin(db, a, &admin);

    if (r == RES_NOTFOUND) {
        r = make_admin(db);
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
