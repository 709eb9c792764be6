/*
 * The OpenSSL contender: the same jobs as the Go workers (see ../job.go), read
 * as lines from standard input and answered on standard output. It uses only
 * the public API of libssl 1.1.1 and later and plain BSD sockets.
 *
 *   bench DIR    work off jobs, with the keys and certificates in DIR
 *   bench        print the version of the library that is met at run time, that of
 *                the headers, and the file that the library is in
 */
#include "common.h"

/* ---- handshakes through memory ---- */

typedef struct {
    pthread_t thread;
    SSL_SESSION *session;
    int keep; /* sessions are kept and used */
    int resumed;
    double end;
    long n; /* handshakes done; -1: failed */
} lane;

static int step(SSL *ssl, int *done) {
    int r = SSL_do_handshake(ssl);
    *done = r == 1;
    return r == 1 || SSL_get_error(ssl, r) == SSL_ERROR_WANT_READ;
}

#define EARLY_BYTES 100 /* as in ../modern.go */

/* send_early sends early data, where there is a session for it. */
static int send_early(SSL *c, SSL_SESSION *session) {
    static const char data[EARLY_BYTES];
    size_t n;
    if (session == NULL) return 1;
    return SSL_write_early_data(c, data, sizeof data, &n) == 1 && n == sizeof data;
}

/* read_early reads it, and done says that all of it has been. */
static int read_early(SSL *s, size_t *got, int *done) {
    char data[2 * EARLY_BYTES];
    for (;;) {
        size_t n = 0;
        int r = SSL_read_early_data(s, data, sizeof data, &n);
        *got += n;
        *done = r == SSL_READ_EARLY_DATA_FINISH;
        if (*done) return 1;
        if (r == SSL_READ_EARLY_DATA_ERROR) return SSL_get_error(s, 0) == SSL_ERROR_WANT_READ;
    }
}

/* One handshake, one byte from server to client, which brings the tickets along, and both ends closed. */
static int handshake(lane *l) {
    SSL *c = new_client(), *s = new_server();
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    int cdone = 0, sdone = 0, ok = 1, early = is("early", "1"), over = !early;
    size_t got = 0;
    char byte = '!';
    BIO_set_mem_eof_return(up, -1);
    BIO_set_mem_eof_return(down, -1);
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(c, down, up);
    SSL_set_bio(s, up, down);
    if (l->keep) {
        SSL_set_app_data(c, (void *)&l->session);
        if (l->session != NULL) SSL_set_session(c, l->session);
    }
    if (early) ok = send_early(c, l->session);
    while (ok && !(cdone && sdone)) ok = step(c, &cdone) && (over || read_early(s, &got, &over)) && (!over || step(s, &sdone));
    ok = ok && (!early || got == (SSL_session_reused(c) ? EARLY_BYTES : 0));
    ok = ok && SSL_write(s, &byte, 1) == 1 && SSL_read(c, &byte, 1) == 1;
    l->resumed = ok && SSL_session_reused(c);
    /* A connection that was not shut down would take its session with it. */
    ok = ok && SSL_shutdown(c) >= 0 && SSL_shutdown(s) >= 0;
    SSL_free(c);
    SSL_free(s);
    return ok;
}

static void *run_lane(void *arg) {
    lane *l = arg;
    do {
        if (!handshake(l)) { l->n = -1; return NULL; }
        l->n++;
    } while (wall() < l->end);
    return NULL;
}

static lane *open_lanes(int count) {
    lane *lanes = calloc(count, sizeof *lanes);
    for (int i = 0; i < count; i++) {
        lanes[i].keep = is("tickets", "use") || is("tickets", "id");
        if (!handshake(&lanes[i])) lanes[i].n = -1;
    }
    return lanes;
}

/* run_lanes makes handshakes in all of them, and returns how many; -1: one has failed. */
static long run_lanes(lane *lanes, int count) {
    double end = wall() + number("ms") * 1e6;
    long n = 0;
    for (int i = 0; i < count; i++) {
        if (lanes[i].n < 0) return fail("handshake") - 1;
        lanes[i].end = end, lanes[i].n = 0;
    }
    for (int i = 1; i < count; i++) pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]);
    run_lane(&lanes[0]);
    for (int i = 1; i < count; i++) pthread_join(lanes[i].thread, NULL);
    for (int i = 0; i < count; i++) {
        if (lanes[i].n < 0) return fail("handshake") - 1;
        if (lanes[i].resumed != (lanes[i].keep || (is("cert", "psk") && is("version", "1.3")))) return fail("resumed or not, against the row") - 1;
        n += lanes[i].n;
    }
    return n;
}

static void close_lanes(lane *lanes, int count) {
    for (int i = 0; i < count; i++) SSL_SESSION_free(lanes[i].session);
    free(lanes);
}

static int do_handshakes(void) {
    int count = is("lanes", "all") ? (int)sysconf(_SC_NPROCESSORS_ONLN) : 1;
    lane *lanes = open_lanes(count);
    meter m = start_meter();
    long n = run_lanes(lanes, count);
    int ok = n >= 0 && answer(m, n, 0);
    close_lanes(lanes, count);
    return ok;
}

/* do_scaling runs one lane and then two, as ../handshake.go does. */
static int do_scaling(void) {
    lane *lanes = open_lanes(2);
    meter first = start_meter();
    long one = run_lanes(lanes, 1);
    meter second = start_meter();
    long two = one < 0 ? -1 : run_lanes(lanes, 2);
    double wall1 = second.wall - first.wall, cpu1 = second.cpu - first.cpu, wall2 = wall() - second.wall, cpu2 = cpu() - second.cpu;
    close_lanes(lanes, 2);
    if (two < 0) return 0;
    printf("ok gain=%.0f cost=%.0f one=1\n", 1e6 * (two / wall2) / (one / wall1), 1e6 * (cpu2 / two) / (cpu1 / one));
    return 1;
}

/* ---- sockets ---- */

static int listener = -1;

static int open_tcp(void) {
    int one = 1, fd;
    if (listener >= 0) {
        fd = accept(listener, NULL, NULL);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(number("port"))};
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int start_listener(void) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 128) != 0) return fail("listen");
    getsockname(listener, (struct sockaddr *)&a, &len);
    printf("port %d\n", ntohs(a.sin_port));
    fflush(stdout);
    return 1;
}

static SSL *open_tls(int fd) {
    SSL *ssl = listener >= 0 ? new_server() : new_client();
    SSL_set_fd(ssl, fd);
    if (SSL_do_handshake(ssl) == 1) return ssl;
    fail("handshake");
    SSL_free(ssl);
    return NULL;
}

static int write_all(SSL *ssl, const char *buf, long size, double total) {
    for (double sent = 0; sent < total; sent += size)
        if (SSL_write(ssl, buf, size) != size) return fail("write");
    return 1;
}

static int read_all(SSL *ssl, char *buf, int size, double total, double *got) {
    for (*got = 0; *got < total;) {
        int n = SSL_read(ssl, buf, size);
        if (n <= 0) return fail("read");
        *got += n;
    }
    return 1;
}

#include "serve.h"
#include "certs.h"
#include "primitives.h"

/* ---- bulk ---- */

static int do_send(SSL *ssl) {
    long size = number("size"), batch = size < (64 << 10) ? (64 << 10) / size : 1, n = 0;
    char *chunk = calloc(1, size);
    int ok = write_all(ssl, chunk, size, WARM_BYTES);
    double end = wall() + number("ms") * 1e6;
    meter m = start_meter();
    do {
        ok = ok && write_all(ssl, chunk, size, (double)size * batch);
        n += batch;
    } while (ok && wall() < end);
    free(chunk);
    return ok && answer(m, n, (double)n * size);
}

static int do_recv(SSL *ssl) {
    static char buf[READ_SIZE];
    double got;
    if (!read_all(ssl, buf, sizeof buf, WARM_BYTES, &got)) return 0;
    meter m = start_meter();
    return read_all(ssl, buf, sizeof buf, number("total"), &got) && answer(m, 1, got);
}

static int do_pingpong(SSL *ssl) {
    long size = number("size"), n = -1; /* the first trip warms up */
    char *message = calloc(1, size);
    double got, end = wall() + number("ms") * 1e6;
    meter m = start_meter();
    int ok;
    do {
        ok = write_all(ssl, message, size, size) && read_all(ssl, message, size, size, &got);
        if (++n == 0) m = start_meter();
    } while (ok && (n < 1 || wall() < end));
    free(message);
    return ok && answer(m, n, 0);
}

static int over_tcp(int (*work)(SSL *)) {
    int fd = open_tcp();
    SSL *ssl = fd < 0 ? NULL : open_tls(fd);
    int ok = ssl != NULL && work(ssl);
    SSL_free(ssl);
    if (fd >= 0) close(fd);
    return ok;
}

/* ---- memory ---- */

static int bulk(SSL *ssl) {
    static char buf[256 << 10];
    double got;
    if (listener >= 0)
        return read_all(ssl, buf, READ_SIZE, BULK_BYTES, &got) && write_all(ssl, buf, sizeof buf, BULK_BYTES);
    return write_all(ssl, buf, sizeof buf, BULK_BYTES) && read_all(ssl, buf, READ_SIZE, BULK_BYTES, &got);
}

/* halt leaves a connection with something under way, which does not go on. */
static int halt(SSL *ssl, int fd) {
    static char buf[16 << 10];
    if (is("halt", "read")) return SSL_read(ssl, buf, 4 << 10) > 0 || fail("SSL_read");
    if (!is("halt", "write")) return cannot("HTTP");
    int size = 64 << 10;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (SSL_write(ssl, buf, sizeof buf) > 0) {}
    return 1;
}

/* hold_phase opens count connections and returns the bytes that libssl keeps for them. */
static int hold_phase(long count, int wrap, double *bytes) {
    int *fds = calloc(count, sizeof *fds), ok = 1;
    SSL **list = calloc(count, sizeof *list);
    int halts = *text("halt") != 0, control = halts ? open_tcp() : -1; /* which tells the other end when to let go */
    long before = live;
    char byte;
    for (long i = 0; i < count && ok; i++) {
        if ((fds[i] = open_tcp()) < 0) ok = fail("tcp");
        if (!wrap || !ok) continue;
        ok = (list[i] = open_tls(fds[i])) != NULL && (!is("bulk", "1") || bulk(list[i])) && (!halts || halt(list[i], fds[i]));
    }
    if (wrap && count > 1) usleep(number("settle") * 1000);
    /* What a waiting reader leaves behind: one read that found nothing. */
    for (long i = 0; i < count && ok && wrap && is("reading", "1"); i++) {
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        if (SSL_read(list[i], &byte, 1) > 0) ok = fail("unexpected data");
    }
    *bytes = live - before;
    for (long i = 0; i < count; i++) {
        SSL_free(list[i]);
        close(fds[i]);
    }
    if (halts) close(control);
    free(list);
    free(fds);
    ERR_clear_error();
    return ok;
}

static int do_hold(void) {
    long n = number("conns");
    double raw, tls;
    if (!hold_phase(1, 0, &raw) || !hold_phase(1, 1, &tls)) return 0; /* warm up */
    if (!hold_phase(n, 0, &raw) || !hold_phase(n, 1, &tls)) return 0;
    printf("ok n=%ld bytes=%.0f\n", n, tls - raw);
    return 1;
}

/* ---- main ---- */

static int work(void) {
    if (strncmp(job, "aead ", 5) == 0) return do_aead();
    if (strncmp(job, "sign ", 5) == 0) return do_signatures(0);
    if (strncmp(job, "check ", 6) == 0) return do_signatures(1);
    if (strncmp(job, "agree ", 6) == 0) return do_agree();
    if (strncmp(job, "verify ", 7) == 0) return do_verify();
    if (strncmp(job, "list ", 5) == 0) return do_list();
    if (strncmp(job, "capture ", 8) == 0) return cannot("captures");
    int ok = setup();
    if (ok && strncmp(job, "handshake ", 10) == 0) return do_handshakes();
    if (ok && strncmp(job, "scaling ", 8) == 0) return do_scaling();
    if (ok && is("role", "server")) ok = start_listener();
    if (!ok) return 0;
    if (strncmp(job, "hold ", 5) == 0) ok = do_hold();
    else if (strncmp(job, "serve ", 6) == 0) ok = do_serve();
    else if (strncmp(job, "drive ", 6) == 0) ok = do_drive();
    else if (strncmp(job, "send ", 5) == 0) ok = over_tcp(do_send);
    else if (strncmp(job, "recv ", 5) == 0) ok = over_tcp(do_recv);
    else if (strncmp(job, "pingpong ", 9) == 0) ok = over_tcp(do_pingpong);
    else ok = fail("unknown job");
    if (listener >= 0) close(listener);
    listener = -1;
    return ok;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        Dl_info where = {0};
        void *found = dlsym(RTLD_DEFAULT, "SSL_CTX_new");
        if (found != NULL) dladdr(found, &where);
        printf("%s\n%s\n%s\n", OpenSSL_version(OPENSSL_VERSION), OPENSSL_VERSION_TEXT, where.dli_fname ? where.dli_fname : "");
        return 0;
    }
    dir = argv[1];
    signal(SIGPIPE, SIG_IGN);
    CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free);
    while (fgets(job, sizeof job, stdin) != NULL) {
        ERR_clear_error();
        snprintf(reason, sizeof reason, "error no connection");
        if (!work()) printf("%s\n", reason);
        fflush(stdout);
    }
    return 0;
}
