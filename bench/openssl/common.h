/* What all jobs of the OpenSSL contender share: the line at work and its answer,
 * what is spent, and the contexts made of its settings. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
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

/* By version, key exchange (where it is not that of the certificate) and cipher. */
static const char *const suites[][2] = {
    {"1.3  aes128gcm", "TLS_AES_128_GCM_SHA256"},
    {"1.3  aes256gcm", "TLS_AES_256_GCM_SHA384"},
    {"1.3  chacha20", "TLS_CHACHA20_POLY1305_SHA256"},
    {"1.2  aes128gcm", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
    {"1.2 dhe aes128gcm", "DHE-RSA-AES128-GCM-SHA256"},
    {"1.2 psk aes128gcm", "PSK-AES128-GCM-SHA256"},
    {"1.2 dhepsk aes128gcm", "DHE-PSK-AES128-GCM-SHA256"},
    {"1.2 ecdhepsk chacha20", "ECDHE-PSK-CHACHA20-POLY1305"},
    {"1.0  aes128cbc", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"},
};

static const struct { const char *name; int number; } versions[] = {
    {"1.0", TLS1_VERSION}, {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION},
};

/* The pre-shared key of ../keys.go, for whatever identity. */
static unsigned psk(unsigned char *key, unsigned max) {
    if (max < 32) return 0;
    for (int i = 0; i < 32; i++) key[i] = 0x5a + i;
    return 32;
}

static unsigned client_psk(SSL *ssl, const char *hint, char *id, unsigned id_max, unsigned char *key, unsigned max) {
    (void)ssl, (void)hint;
    snprintf(id, id_max, "bench");
    return psk(key, max);
}

static unsigned server_psk(SSL *ssl, const char *id, unsigned char *key, unsigned max) {
    (void)ssl, (void)id;
    return psk(key, max);
}

/* dh_parameters returns those of a group of RFC 7919, or NULL. */
static EVP_PKEY *dh_parameters(const char *group) {
    EVP_PKEY *params = NULL;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    OSSL_PARAM choice[] = {OSSL_PARAM_construct_utf8_string("group", (char *)group, 0), OSSL_PARAM_construct_end()};
    if (make == NULL || EVP_PKEY_paramgen_init(make) != 1 || EVP_PKEY_CTX_set_params(make, choice) != 1 ||
        EVP_PKEY_generate(make, &params) != 1)
        cannot(group);
    EVP_PKEY_CTX_free(make);
#else
    cannot(group);
#endif
    return params;
}

static int use_dh(SSL_CTX *ctx) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    EVP_PKEY *params = dh_parameters(text("group"));
    return params != NULL && (SSL_CTX_set0_tmp_dh_pkey(ctx, params) == 1 || fail("parameters"));
#else
    (void)ctx;
    return cannot(text("group"));
#endif
}

static SSL_CTX *new_ctx(const SSL_METHOD *method) {
    char file[512], name[200];
    SSL_CTX *ctx = SSL_CTX_new(method);
    int tls13 = is("version", "1.3"), version = 0, found = 0;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (is("version", versions[i].name)) version = versions[i].number;
    snprintf(file, sizeof file, "%s/ca.pem", dir);
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_load_verify_locations(ctx, file, NULL);
    /* Before TLS 1.3 the list also says which ECDSA keys are accepted. */
    snprintf(name, sizeof name, "%s%s", text("group"), tls13 ? "" : ":P-256");
    if (!is("group", "none") && SSL_CTX_set1_groups_list(ctx, name) != 1) {
        cannot(text("group"));
        return NULL;
    }
    snprintf(name, sizeof name, "%s %s%s %s", text("version"), text("kx"), !tls13 && is("cert", "psk") ? "psk" : "", text("suite"));
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i][0], name) == 0)
            found = tls13 ? SSL_CTX_set_ciphersuites(ctx, suites[i][1]) : SSL_CTX_set_cipher_list(ctx, suites[i][1]);
    if (found != 1) {
        cannot(name);
        return NULL;
    }
    if (is("tickets", "none") || is("tickets", "id")) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

/* compress_certificates has both ends offer zlib. */
static int compress_certificates(void) {
#ifdef TLSEXT_comp_cert_zlib
    int zlib[] = {TLSEXT_comp_cert_zlib};
    if (SSL_CTX_set1_cert_comp_preference(client_ctx, zlib, 1) == 1 && SSL_CTX_set1_cert_comp_preference(server_ctx, zlib, 1) == 1) return 1;
#endif
    return cannot("compressed certificates");
}

/* keep_compressed compresses the server's certificate once, for all handshakes. */
static int keep_compressed(void) {
#ifdef TLSEXT_comp_cert_zlib
    if (SSL_CTX_compress_certs(server_ctx, TLSEXT_comp_cert_zlib) == 1) return 1;
#endif
    return fail("compressed certificate");
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
    /* One ticket for each connection, and none kept at the server, as the others do;
       or no ticket, and the server keeps what there is an ID for. */
    SSL_CTX_set_num_tickets(server_ctx, is("tickets", "none") ? 0 : 1);
    SSL_CTX_set_session_cache_mode(server_ctx, is("tickets", "id") ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"bench", 5);
    if (is("mutual", "1")) {
        SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        if (!use_certificate(client_ctx, "client")) return 0;
    }
    if (strncmp(text("group"), "ffdhe", 5) == 0 && !use_dh(server_ctx)) return 0;
    if (is("ech", "1")) return cannot("Encrypted Client Hello");
    if (is("compressed", "1") && !compress_certificates()) return 0;
    if (is("early", "1")) {
        /* Each ticket brings early data once: the server keeps those that it has given. */
        SSL_CTX_set_max_early_data(server_ctx, 16 << 10);
        SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_SERVER);
    }
    if (is("cert", "psk")) {
        SSL_CTX_set_psk_client_callback(client_ctx, client_psk);
        SSL_CTX_set_psk_server_callback(server_ctx, server_psk);
        return 1;
    }
    if (is("cert", "mldsa44") && OpenSSL_version_num() < 0x30500000L) return cannot("ML-DSA");
    return use_certificate(server_ctx, text("cert")) && (!is("compressed", "1") || keep_compressed());
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
