/* The job serve: what a server spends, alone. Needs step and open_tcp of bench.c. */

/* ---- servers alone: the other end is the job drive of ../serve.go ---- */

enum { BEGIN = 1, STEP = 2, FINISH = 3, WARM_BATCHES = 2, MAX_MESSAGE = 1 << 24 };

static unsigned char message[MAX_MESSAGE]; /* being received, or to be sent */

static int receive(int fd, void *to, size_t n) {
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r <= 0) return fail("the other process is gone");
        got += r;
    }
    return 1;
}

static void put(unsigned char *to, unsigned n) {
    n = htonl(n);
    memcpy(to, &n, 4);
}

static int receive_number(int fd, unsigned *n) {
    int ok = receive(fd, n, 4);
    *n = ntohl(*n);
    return ok;
}

typedef struct {
    SSL *ssl;
    BIO *in, *out;
    int done;
} member;

static void begin_member(member *m) {
    SSL_free(m->ssl);
    m->ssl = new_server();
    m->in = BIO_new(BIO_s_mem());
    m->out = BIO_new(BIO_s_mem());
    m->done = 0;
    BIO_set_mem_eof_return(m->in, -1);
    SSL_set_bio(m->ssl, m->in, m->out);
}

/* One member works on what it was sent; after the handshake come one byte and the end. */
static int step_member(member *m, const unsigned char *bytes, int n) {
    if (n == 0) return 1;
    if (m->done || BIO_write(m->in, bytes, n) != n || !step(m->ssl, &m->done)) return fail("handshake");
    return !m->done || (SSL_write(m->ssl, "!", 1) == 1 && SSL_shutdown(m->ssl) >= 0) || fail("end");
}

/* exchange takes one message from the clients and answers it. */
static int exchange(int fd, member *members, unsigned verb, unsigned count) {
    unsigned char *bytes = message + MAX_MESSAGE / 2, *at = message + 8;
    for (unsigned i = 0, n; i < count; i++) {
        member *m = &members[i];
        char *answer;
        if (!receive_number(fd, &n)) return 0;
        if (n > MAX_MESSAGE / 2) return fail("message");
        if (!receive(fd, bytes, n)) return 0;
        if (verb == BEGIN) begin_member(m);
        if (!step_member(m, bytes, n)) return 0;
        n = BIO_get_mem_data(m->out, &answer);
        put(at, n);
        memcpy(at + 4, answer, n);
        at += 4 + n;
        (void)BIO_reset(m->out);
    }
    put(message, verb);
    put(message + 4, count);
    for (unsigned char *from = message; from < at;) {
        ssize_t n = write(fd, from, at - from);
        if (n <= 0) return fail("the other process is gone");
        from += n;
    }
    return 1;
}

static int do_serve(void) {
    unsigned size = number("batch"), verb, count, ok = 1;
    member *members = calloc(size, sizeof *members);
    int fd = open_tcp();
    long batches = 0;
    meter m = {0};
    for (;;) {
        if (!(ok = receive_number(fd, &verb) && receive_number(fd, &count)) || verb == FINISH) break;
        if (!(ok = count == size || fail("message"))) break;
        if (verb == BEGIN && batches++ == WARM_BATCHES) m = start_meter();
        if (!(ok = exchange(fd, members, verb, count))) break;
    }
    for (unsigned i = 0; i < size; i++) {
        if (ok && !members[i].done) ok = fail("not all handshakes have ended");
        SSL_free(members[i].ssl);
    }
    free(members);
    close(fd);
    return ok && answer(m, (batches - WARM_BATCHES) * size, 0);
}
