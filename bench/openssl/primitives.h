/* What records and handshakes are made of, without TLS: the jobs aead, sign, check and
 * agree. Included by bench.c. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

enum { MAX_RECORD = 16 << 10, TAG_LEN = 16, NONCE_LEN = 12, HEADER_LEN = 5 };

static const struct { const char *name; const EVP_CIPHER *(*cipher)(void); } aeads[] = {
    {"aes128gcm", EVP_aes_128_gcm}, {"aes256gcm", EVP_aes_256_gcm}, {"chacha20", EVP_chacha20_poly1305},
};

static const unsigned char record_header[HEADER_LEN] = {23, 3, 3, 0, 0};

static int seal_record(EVP_CIPHER_CTX *ctx, unsigned char *nonce, unsigned char *bytes, int size, unsigned char *tag) {
    int n;
    nonce[0]++; /* each record has its own */
    return EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce) == 1 && EVP_EncryptUpdate(ctx, NULL, &n, record_header, HEADER_LEN) == 1 &&
           EVP_EncryptUpdate(ctx, bytes, &n, bytes, size) == 1 && EVP_EncryptFinal_ex(ctx, bytes + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1;
}

static int open_record(EVP_CIPHER_CTX *ctx, unsigned char *nonce, unsigned char *to, const unsigned char *from, int size, unsigned char *tag) {
    int n;
    return EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce) == 1 && EVP_DecryptUpdate(ctx, NULL, &n, record_header, HEADER_LEN) == 1 &&
           EVP_DecryptUpdate(ctx, to, &n, from, size) == 1 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1 &&
           EVP_DecryptFinal_ex(ctx, to + n, &n) == 1;
}

static int do_aead(void) {
    static unsigned char plain[MAX_RECORD], sealed[MAX_RECORD], key[32];
    unsigned char nonce[NONCE_LEN] = {0}, tag[TAG_LEN];
    const EVP_CIPHER *cipher = NULL;
    int size = number("size"), times = MAX_RECORD / size, open = is("do", "open");
    for (size_t i = 0; i < sizeof aeads / sizeof *aeads; i++)
        if (is("cipher", aeads[i].name)) cipher = aeads[i].cipher();
    if (cipher == NULL || size > MAX_RECORD) return fail("cipher");
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int ok = EVP_CipherInit_ex(ctx, cipher, NULL, key, nonce, 1) == 1 && seal_record(ctx, nonce, sealed, size, tag);
    if (open) ok = ok && EVP_CipherInit_ex(ctx, cipher, NULL, key, nonce, 0) == 1;
    long n = 0;
    meter m = start_meter();
    double end = m.wall + number("ms") * 1e6;
    do {
        for (int i = 0; i < times; i++)
            ok = ok && (open ? open_record(ctx, nonce, plain, sealed, size, tag) : seal_record(ctx, nonce, plain, size, tag));
        n += times;
    } while (ok && wall() < end);
    EVP_CIPHER_CTX_free(ctx);
    return ok ? answer(m, n, (double)n * size) : fail("aead");
}

/* signature_ctx is for signatures of TLS 1.3 with the job's key: PSS for RSA. */
static EVP_PKEY_CTX *signature_ctx(EVP_PKEY *key, int verify) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    int ok = ctx != NULL && (verify ? EVP_PKEY_verify_init(ctx) : EVP_PKEY_sign_init(ctx)) == 1;
    if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (ok && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1) return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

/* Signatures, or what verifies them. One after the other: several at once cost each as much. */
static int do_signatures(int verify) {
    unsigned char sig[1024], digest[32] = {'v'};
    size_t len = sizeof sig;
    FILE *f = open_file("sign-%s.pem", text("key"));
    EVP_PKEY *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
    if (f != NULL) fclose(f);
    if (key == NULL) return fail("key");
    EVP_PKEY_CTX *first = signature_ctx(key, 0);
    int ok = first != NULL && EVP_PKEY_sign(first, sig, &len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(first);
    long n = 0;
    meter m = start_meter();
    double end = m.wall + number("ms") * 1e6;
    do {
        EVP_PKEY_CTX *ctx = signature_ctx(key, verify); /* as in each handshake */
        size_t room = sizeof sig;
        if (verify) ok = ok && ctx != NULL && EVP_PKEY_verify(ctx, sig, len, digest, sizeof digest) == 1;
        else ok = ok && ctx != NULL && EVP_PKEY_sign(ctx, sig, &room, digest, sizeof digest) == 1;
        EVP_PKEY_CTX_free(ctx);
        n++;
    } while (ok && wall() < end);
    EVP_PKEY_free(key);
    return ok ? answer(m, n, 0) : fail("signature");
}

/* ---- key exchanges ---- */

static EVP_PKEY_CTX *keygen_ctx(const char *group) {
    EVP_PKEY_CTX *make = NULL;
    EVP_PKEY *params = NULL;
    int ok;
    if (strncmp(group, "ffdhe", 5) == 0) {
        params = dh_parameters(group);
        make = params == NULL ? NULL : EVP_PKEY_CTX_new(params, NULL);
    } else if (strcmp(group, "X25519") == 0) {
        make = EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, NULL);
    } else if (strcmp(group, "P-256") == 0) {
        make = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    }
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
    if (strcmp(group, "X25519MLKEM768") == 0) make = EVP_PKEY_CTX_new_from_name(NULL, group, NULL);
#endif
    EVP_PKEY_free(params);
    ok = make != NULL && EVP_PKEY_keygen_init(make) == 1;
    if (strcmp(group, "P-256") == 0) ok = ok && EVP_PKEY_CTX_set_ec_paramgen_curve_nid(make, NID_X9_62_prime256v1) == 1;
    if (ok) return make;
    EVP_PKEY_CTX_free(make);
    return NULL;
}

/* derive_once makes a fresh key and the secret with a peer's share, as libssl does in a handshake. */
static int derive_once(EVP_PKEY_CTX *make, EVP_PKEY *peer) {
    unsigned char secret[1024];
    size_t len = sizeof secret;
    EVP_PKEY *own = NULL;
    EVP_PKEY_CTX *derive = NULL;
    int ok = EVP_PKEY_keygen(make, &own) == 1 && (derive = EVP_PKEY_CTX_new(own, NULL)) != NULL && EVP_PKEY_derive_init(derive) == 1 &&
             EVP_PKEY_derive_set_peer(derive, peer) == 1 && EVP_PKEY_derive(derive, secret, &len) == 1;
    EVP_PKEY_CTX_free(derive);
    EVP_PKEY_free(own);
    return ok;
}

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
/* encapsulate_once is both ends' work: a fresh key, what is sealed to its share, and the secret. */
static int encapsulate_once(EVP_PKEY_CTX *make, EVP_PKEY *unused) {
    unsigned char *share = NULL, sealed[1088 + 32], secret[32 + 32];
    size_t share_len, sealed_len = sizeof sealed, len = sizeof secret;
    EVP_PKEY *own = NULL, *peer = NULL;
    EVP_PKEY_CTX *to = NULL, *from = NULL;
    (void)unused;
    int ok = EVP_PKEY_keygen(make, &own) == 1 && (share_len = EVP_PKEY_get1_encoded_public_key(own, &share)) > 0 &&
             (peer = EVP_PKEY_new()) != NULL && EVP_PKEY_copy_parameters(peer, own) == 1 &&
             EVP_PKEY_set1_encoded_public_key(peer, share, share_len) == 1 &&
             (to = EVP_PKEY_CTX_new(peer, NULL)) != NULL && EVP_PKEY_encapsulate_init(to, NULL) == 1 &&
             EVP_PKEY_encapsulate(to, sealed, &sealed_len, secret, &len) == 1 &&
             (from = EVP_PKEY_CTX_new(own, NULL)) != NULL && EVP_PKEY_decapsulate_init(from, NULL) == 1 &&
             EVP_PKEY_decapsulate(from, secret, &len, sealed, sealed_len) == 1;
    EVP_PKEY_CTX_free(to);
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    OPENSSL_free(share);
    return ok;
}
#else
static int encapsulate_once(EVP_PKEY_CTX *make, EVP_PKEY *unused) { (void)make, (void)unused; return 0; }
#endif

static int do_agree(void) {
    EVP_PKEY_CTX *make = keygen_ctx(text("group"));
    EVP_PKEY *peer = NULL;
    if (make == NULL) return cannot(text("group"));
    int (*once)(EVP_PKEY_CTX *, EVP_PKEY *) = is("group", "X25519MLKEM768") ? encapsulate_once : derive_once;
    int ok = EVP_PKEY_keygen(make, &peer) == 1 && once(make, peer);
    long n = 0;
    meter m = start_meter();
    double end = m.wall + number("ms") * 1e6;
    do {
        ok = ok && once(make, peer);
        n++;
    } while (ok && wall() < end);
    EVP_PKEY_CTX_free(make);
    EVP_PKEY_free(peer);
    return ok ? answer(m, n, 0) : fail("key exchange");
}
