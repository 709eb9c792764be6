/* Certificates without a connection: the jobs verify and list. Included by bench.c. */
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

static FILE *open_file(const char *format, const char *what) {
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/", dir);
    snprintf(path + n, sizeof path - n, format, what);
    return fopen(path, "rb");
}

/* read_der returns the n-th certificate of a file as bytes. */
static int read_der(const char *format, const char *what, int n, unsigned char **der) {
    FILE *f = open_file(format, what);
    X509 *c = NULL;
    for (int i = 0; f != NULL && i <= n; i++) {
        X509_free(c);
        c = PEM_read_X509(f, NULL, NULL, NULL);
    }
    if (f != NULL) fclose(f);
    *der = NULL;
    int len = c == NULL ? -1 : i2d_X509(c, der);
    X509_free(c);
    return len;
}

/* verify reads a chain and verifies it, as libssl does in a client. */
static int verify(X509_STORE *store, unsigned char **der, const int *len) {
    const unsigned char *a = der[0], *b = der[1];
    X509 *leaf = d2i_X509(NULL, &a, len[0]), *intermediate = d2i_X509(NULL, &b, len[1]);
    STACK_OF(X509) *others = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    sk_X509_push(others, intermediate);
    int ok = X509_STORE_CTX_init(ctx, store, leaf, others) && X509_STORE_CTX_set_default(ctx, "ssl_server") &&
             X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), "bench.test", 0) && X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    sk_X509_free(others);
    X509_free(leaf);
    X509_free(intermediate);
    return ok;
}

static int do_verify(void) {
    unsigned char *der[3];
    char cert[32];
    snprintf(cert, sizeof cert, "%s", text("cert"));
    int len[] = {read_der("chain-%s.pem", cert, 0, &der[0]), read_der("chain-%s.pem", cert, 1, &der[1]), read_der("chain-%s-root.pem", cert, 0, &der[2])};
    if (len[0] < 0 || len[1] < 0 || len[2] < 0) return fail("chain");
    const unsigned char *at = der[2];
    X509_STORE *store = X509_STORE_new();
    X509 *root = d2i_X509(NULL, &at, len[2]);
    int ok = root != NULL && X509_STORE_add_cert(store, root) && verify(store, der, len);
    double end = wall() + number("ms") * 1e6;
    long n = 0;
    meter m = start_meter();
    do {
        ok = ok && verify(store, der, len);
        n++;
    } while (ok && wall() < end);
    X509_free(root);
    X509_STORE_free(store);
    for (int i = 0; i < 3; i++) OPENSSL_free(der[i]);
    return ok ? answer(m, n, 0) : fail("verify");
}

/* find_serial looks for the i-th number of ../certificates.go. */
static int find_serial(X509_CRL *list, long i) {
    unsigned char number[8], sum[SHA256_DIGEST_LENGTH];
    X509_REVOKED *entry;
    for (int b = 0; b < 8; b++) number[b] = (unsigned char)((unsigned long)i >> (56 - 8 * b));
    SHA256(number, sizeof number, sum);
    sum[0] = (sum[0] & 0x3f) | 0x40;
    BIGNUM *bn = BN_bin2bn(sum, 16, NULL);
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(bn, NULL);
    int found = X509_CRL_get0_by_serial(list, &entry, serial) == 1;
    ASN1_INTEGER_free(serial);
    BN_free(bn);
    return found;
}

static int do_list(void) {
    char name[64];
    long entries = is("entries", "most") ? number("most") : number("entries"), n = 0;
    snprintf(name, sizeof name, "%ld", entries);
    FILE *f = open_file("list-%s.der", name);
    if (f == NULL) return fail("list");
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    unsigned char *der = malloc(size);
    rewind(f);
    int ok = fread(der, 1, size, f) == (size_t)size, parse = is("do", "parse");
    fclose(f);
    const unsigned char *at = der;
    X509_CRL *list = ok ? d2i_X509_CRL(NULL, &at, size) : NULL;
    ok = list != NULL && (parse || find_serial(list, 0)); /* which sorts it */
    meter m = start_meter();
    double end = m.wall + number("ms") * 1e6;
    do {
        if (parse) {
            at = der;
            X509_CRL *again = d2i_X509_CRL(NULL, &at, size);
            ok = ok && again != NULL;
            X509_CRL_free(again);
        } else {
            ok = ok && find_serial(list, n * 7919 % entries);
        }
        n++;
    } while (ok && wall() < end);
    X509_CRL_free(list);
    free(der);
    return ok ? answer(m, n, parse ? (double)n * size : 0) : fail("list");
}
