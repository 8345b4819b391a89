/* sendmail/submit.h - handing a message in at the server's local socket. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

#include <stdio.h>

struct submit {
    int fd;
    FILE *in, *out;
    struct arena *a;
    struct str host, sender; /* the server's name, and who we are to it */
    struct str said;         /* the last answer */
    int code;
};

/* Connects and greets.  EX_OK, or what sendmail ends with; said on standard error. */
int submit_open(struct submit *s, const char *path, struct arena *a);
/* Each returns as above. */
int submit_mail(struct submit *s, struct str sender, const char *parameters);
int submit_rcpt(struct submit *s, struct str recipient, const char *parameters);
int submit_data(struct submit *s, struct str header, struct str body);
/* SMTP between the standard input and output and the socket, until one of them ends. */
int submit_pass(const char *path);
