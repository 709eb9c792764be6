/* The jobs serve and drive: what a server or a client spends, alone. Needs step and open_tcp of bench.c. */

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
    int shaken, done; /* the handshake, and all */
} member;

static void begin_member(member *m, SSL *ssl) {
    SSL_free(m->ssl);
    m->ssl = ssl;
    m->in = BIO_new(BIO_s_mem());
    m->out = BIO_new(BIO_s_mem());
    m->shaken = m->done = 0;
    BIO_set_mem_eof_return(m->in, -1);
    SSL_set_bio(m->ssl, m->in, m->out);
}

/* A server works on what it was sent; after the handshake come one byte and the end. */
static int step_server(member *m, const unsigned char *bytes, int n) {
    if (n == 0) return 1;
    if (m->done || BIO_write(m->in, bytes, n) != n || !step(m->ssl, &m->done)) return fail("handshake");
    return !m->done || (SSL_write(m->ssl, "!", 1) == 1 && SSL_shutdown(m->ssl) >= 0) || fail("end");
}

/* A client begins without being sent anything; after the handshake it waits for one byte. */
static int step_client(member *m, const unsigned char *bytes, int n) {
    char byte;
    if (n > 0 && (m->done || BIO_write(m->in, bytes, n) != n)) return fail("message");
    if (!m->shaken && !step(m->ssl, &m->shaken)) return fail("handshake");
    if (!m->shaken || m->done) return 1;
    int r = SSL_read(m->ssl, &byte, 1);
    if (r != 1) return SSL_get_error(m->ssl, r) == SSL_ERROR_WANT_READ || fail("read");
    m->done = 1;
    return SSL_shutdown(m->ssl) >= 0 || fail("end");
}

/* put_output takes what a member has written. */
static unsigned char *put_output(unsigned char *at, member *m) {
    char *output;
    long n = BIO_get_mem_data(m->out, &output);
    put(at, n);
    memcpy(at + 4, output, n);
    (void)BIO_reset(m->out);
    return at + 4 + n;
}

/* send_message sends what is in message up to end. */
static int send_message(int fd, unsigned verb, unsigned count, const unsigned char *end) {
    put(message, verb);
    put(message + 4, count);
    for (const unsigned char *from = message; from < end;) {
        ssize_t n = write(fd, from, end - from);
        if (n <= 0) return fail("the other process is gone");
        from += n;
    }
    return 1;
}

/* receive_bytes takes one member's part of a message. */
static int receive_bytes(int fd, unsigned char *bytes, unsigned *n) {
    return receive_number(fd, n) && (*n <= MAX_MESSAGE / 2 || fail("message")) && receive(fd, bytes, *n);
}

/* exchange takes one message from the clients and answers it. */
static int exchange(int fd, member *members, unsigned verb, unsigned count) {
    unsigned char *bytes = message + MAX_MESSAGE / 2, *at = message + 8;
    for (unsigned i = 0, n; i < count; i++) {
        if (!receive_bytes(fd, bytes, &n)) return 0;
        if (verb == BEGIN) begin_member(&members[i], new_server());
        if (!step_server(&members[i], bytes, n)) return 0;
        at = put_output(at, &members[i]);
    }
    return send_message(fd, verb, count, at);
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

/* ---- clients alone: the other end is the job serve of ../serve.go ---- */

/* drive_batch is one handshake of each client. */
static int drive_batch(int fd, member *members, unsigned size) {
    unsigned char *bytes = message + MAX_MESSAGE / 2;
    for (unsigned i = 0; i < size; i++) {
        begin_member(&members[i], new_client());
        if (!step_client(&members[i], NULL, 0)) return 0;
    }
    for (unsigned verb = BEGIN, running = 1, sent = 1, n, count; running; verb = STEP) {
        unsigned char *at = message + 8;
        for (unsigned i = 0; i < size; i++) at = put_output(at, &members[i]);
        if (!sent) return fail("both sides wait for the other");
        if (!send_message(fd, verb, size, at) || !receive_number(fd, &count) || !receive_number(fd, &count)) return 0;
        if (count != size) return fail("message");
        running = sent = 0;
        for (unsigned i = 0; i < size; i++) {
            if (!receive_bytes(fd, bytes, &n) || (n > 0 && !step_client(&members[i], bytes, n))) return 0;
            sent |= n > 0;
            running |= !members[i].done;
        }
    }
    return 1;
}

static int do_drive(void) {
    unsigned size = number("batch"), ok = 1;
    member *members = calloc(size, sizeof *members);
    int fd = open_tcp();
    long batches = 0;
    double end = wall() + number("ms") * 1e6;
    meter m = {0};
    while (ok && (batches <= WARM_BATCHES || wall() < end)) {
        if (batches++ == WARM_BATCHES) m = start_meter();
        ok = drive_batch(fd, members, size);
    }
    for (unsigned i = 0; i < size; i++) {
        if (ok && SSL_session_reused(members[i].ssl)) ok = fail("resumed, against the row");
        SSL_free(members[i].ssl);
    }
    ok = ok && send_message(fd, FINISH, 0, message + 8);
    free(members);
    close(fd);
    return ok && answer(m, (batches - WARM_BATCHES) * size, 0);
}
