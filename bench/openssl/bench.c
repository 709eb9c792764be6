/*
 * The OpenSSL contender: the same jobs as the Go workers (see ../job.go), read
 * as lines from standard input and answered on standard output. It uses only
 * the public API of libssl 1.1.1 and later and plain BSD sockets.
 *
 *   bench DIR    work off jobs, with the keys and certificates in DIR
 *   bench        print the version of the library
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVER_NAME "bench.test"
#define READ_SIZE (32 << 10)
#define WARM_BYTES (1 << 20)
#define BULK_BYTES (1 << 20)

/* ---- jobs and answers ---- */

static char job[1024];   /* the line at work */
static char reason[256]; /* why it failed */
static const char *dir;  /* keys and certificates */

/* text returns the value of a key=value field of the job, or "". */
static const char *text(const char *key) {
    static char values[8][64]; /* the last few stay valid */
    static int next;
    char *value = values[next++ % 8];
    size_t len = strlen(key);
    value[0] = 0;
    for (const char *p = job; (p = strchr(p, ' ')) != NULL;) {
        p++;
        if (strncmp(p, key, len) == 0 && p[len] == '=')
            snprintf(value, 64, "%.*s", (int)strcspn(p + len + 1, " \n"), p + len + 1);
    }
    return value;
}

static long number(const char *key) { return atol(text(key)); }
static int is(const char *key, const char *value) { return strcmp(text(key), value) == 0; }

/* fail notes a reason, with OpenSSL's own if there is one, and returns 0. */
static int fail(const char *what) {
    unsigned long e = ERR_peek_error();
    snprintf(reason, sizeof reason, "error %s%s%s", what, e ? ": " : "", e ? ERR_reason_error_string(e) : "");
    return 0;
}

static int cannot(const char *what) {
    snprintf(reason, sizeof reason, "unsupported libssl has no %s", what);
    return 0;
}

/* ---- what is spent ---- */

static __thread long allocs, live;

typedef union { size_t size; max_align_t align; } header;

static void *count_malloc(size_t n, const char *file, int line) {
    (void)file, (void)line;
    header *h = malloc(n + sizeof *h);
    if (h == NULL) return NULL;
    h->size = n, allocs++, live += n;
    return h + 1;
}

static void count_free(void *p, const char *file, int line) {
    (void)file, (void)line;
    if (p == NULL) return;
    live -= ((header *)p - 1)->size;
    free((header *)p - 1);
}

static void *count_realloc(void *p, size_t n, const char *file, int line) {
    if (p == NULL) return count_malloc(n, file, line);
    if (n == 0) { count_free(p, file, line); return NULL; }
    header *h = (header *)p - 1;
    size_t old = h->size;
    if ((h = realloc(h, n + sizeof *h)) == NULL) return NULL;
    h->size = n, allocs++, live += n - old;
    return h + 1;
}

static double wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

typedef struct { double wall, cpu; long allocs; } meter;

static meter start_meter(void) { return (meter){wall(), cpu(), allocs}; }

static int answer(meter m, long n, double bytes) {
    printf("ok n=%ld bytes=%.0f wall_ns=%.0f cpu_ns=%.0f", n, bytes, wall() - m.wall, cpu() - m.cpu);
    if (allocs > m.allocs) printf(" allocs=%ld", allocs - m.allocs);
    printf("\n");
    return 1;
}

/* ---- contexts ---- */

static SSL_CTX *client_ctx, *server_ctx;

/* keep_session hands a new session to the pointer that its connection carries. */
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    SSL_SESSION **slot = SSL_get_app_data(ssl);
    if (slot == NULL) return 0;
    SSL_SESSION_free(*slot);
    *slot = session;
    return 1;
}

static int use_certificate(SSL_CTX *ctx, const char *name) {
    char file[512];
    snprintf(file, sizeof file, "%s/%s.pem", dir, name);
    if (SSL_CTX_use_certificate_file(ctx, file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM) != 1)
        return fail("certificate");
    return 1;
}

static const char *const suites[][2] = {
    {"1.3 aes128gcm", "TLS_AES_128_GCM_SHA256"},
    {"1.3 aes256gcm", "TLS_AES_256_GCM_SHA384"},
    {"1.3 chacha20", "TLS_CHACHA20_POLY1305_SHA256"},
    {"1.2 aes128gcm", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
};

static SSL_CTX *new_ctx(const SSL_METHOD *method) {
    char file[512], name[160];
    SSL_CTX *ctx = SSL_CTX_new(method);
    int tls13 = is("version", "1.3"), version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION, found = 0;
    snprintf(file, sizeof file, "%s/ca.pem", dir);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_load_verify_locations(ctx, file, NULL);
    /* Before TLS 1.3 the list also says which ECDSA keys are accepted. */
    snprintf(name, sizeof name, "%s%s", text("group"), tls13 ? "" : ":P-256");
    if (SSL_CTX_set1_groups_list(ctx, name) != 1) {
        cannot(text("group"));
        return NULL;
    }
    snprintf(name, sizeof name, "%s %s", text("version"), text("suite"));
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i][0], name) == 0)
            found = tls13 ? SSL_CTX_set_ciphersuites(ctx, suites[i][1]) : SSL_CTX_set_cipher_list(ctx, suites[i][1]);
    if (found != 1) {
        cannot(name);
        return NULL;
    }
    if (is("tickets", "none")) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static int setup(void) {
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    server_ctx = NULL;
    if ((client_ctx = new_ctx(TLS_client_method())) == NULL || (server_ctx = new_ctx(TLS_server_method())) == NULL)
        return 0;
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_ctx, keep_session);
    /* One ticket for each connection, and none kept at the server, as the others do. */
    SSL_CTX_set_num_tickets(server_ctx, is("tickets", "none") ? 0 : 1);
    SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"bench", 5);
    if (is("mutual", "1")) {
        SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        if (!use_certificate(client_ctx, "client")) return 0;
    }
    return use_certificate(server_ctx, text("cert"));
}

static SSL *new_client(void) {
    SSL *ssl = SSL_new(client_ctx);
    SSL_set_tlsext_host_name(ssl, SERVER_NAME);
    SSL_set1_host(ssl, SERVER_NAME);
    SSL_set_connect_state(ssl);
    return ssl;
}

static SSL *new_server(void) {
    SSL *ssl = SSL_new(server_ctx);
    SSL_set_accept_state(ssl);
    return ssl;
}

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

/* One handshake and one byte from server to client, which brings the tickets along. */
static int handshake(lane *l) {
    SSL *c = new_client(), *s = new_server();
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    int cdone = 0, sdone = 0, ok = 1;
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
    while (ok && !(cdone && sdone)) ok = step(c, &cdone) && step(s, &sdone);
    ok = ok && SSL_write(s, &byte, 1) == 1 && SSL_read(c, &byte, 1) == 1;
    l->resumed = ok && SSL_session_reused(c);
    /* A connection that was not shut down would take its session with it. */
    SSL_set_shutdown(c, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
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

static int do_handshakes(void) {
    int count = is("lanes", "all") ? (int)sysconf(_SC_NPROCESSORS_ONLN) : 1, ok = 1;
    lane *lanes = calloc(count, sizeof *lanes);
    long n = 0;
    for (int i = 0; i < count; i++) {
        lanes[i].keep = is("tickets", "use");
        if (!handshake(&lanes[i])) return fail("handshake");
    }
    meter m = start_meter();
    for (int i = 0; i < count; i++) lanes[i].end = m.wall + number("ms") * 1e6;
    for (int i = 1; i < count; i++) pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]);
    run_lane(&lanes[0]);
    for (int i = 1; i < count; i++) pthread_join(lanes[i].thread, NULL);
    for (int i = 0; i < count; i++) {
        if (lanes[i].n < 0) ok = fail("handshake");
        else if (lanes[i].resumed != lanes[i].keep) ok = fail("resumed or not, against the row");
        n += lanes[i].n;
        SSL_SESSION_free(lanes[i].session);
    }
    free(lanes);
    return ok && answer(m, n, 0);
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

/* hold_phase opens count connections and returns the bytes that libssl keeps for them. */
static int hold_phase(long count, int wrap, double *bytes) {
    int *fds = calloc(count, sizeof *fds), ok = 1;
    SSL **list = calloc(count, sizeof *list);
    long before = live;
    char byte;
    for (long i = 0; i < count && ok; i++) {
        if ((fds[i] = open_tcp()) < 0) ok = fail("tcp");
        if (!wrap || !ok) continue;
        ok = (list[i] = open_tls(fds[i])) != NULL && (!is("bulk", "1") || bulk(list[i]));
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
    int ok = setup();
    if (ok && strncmp(job, "handshake ", 10) == 0) return do_handshakes();
    if (ok && is("role", "server")) ok = start_listener();
    if (!ok) return 0;
    if (strncmp(job, "hold ", 5) == 0) ok = do_hold();
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
        printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
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
