/* auth/protocol.h - the requests between auth and the other processes (io/ipc.h), and who may send which. */
#pragma once

enum auth_op {
    AUTH_PASSWORD = 1,  /* protocol, ip, user, password -> identity */
    AUTH_CERTIFICATE,   /* -> PEM chain */
    AUTH_SIGN,          /* key name, rsa (int), digest -> signature */
    AUTH_SET_PASSWORD,  /* account id, password, session hash to keep -> ; api only */
    AUTH_LINK,          /* account id, seconds -> secret; api and root */
    AUTH_SIGN_IN,       /* ip, user agent, user, password -> session; api only */
    AUTH_LINK_SIGN_IN,  /* ip, user agent, secret -> session; api only */
    AUTH_APP_ADD,       /* account id, name, protocols -> app password, secret; api only */
    AUTH_APP_LIST,      /* account id -> how many, app passwords; api only */
    AUTH_APP_REMOVE,    /* account id, id -> ; api only */
    AUTH_CODE_SIGN_IN,  /* ip, session hash, code -> session; api only */
    AUTH_REAUTH,        /* ip, user, session hash, password, code -> cookie; api only */
    AUTH_TOTP_STATE,    /* account id -> since, recovery codes left; api only */
    AUTH_TOTP_BEGIN,    /* account id -> key; api only */
    AUTH_TOTP_CONFIRM,  /* account id, code -> recovery codes; api only */
    AUTH_TOTP_REMOVE,   /* account id -> ; api only */
};
