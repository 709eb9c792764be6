/* Judges chains as libssl does in a client: the defaults for TLS servers, security level 2. A line each: "ok", or why not. */
#include "cases.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>

static X509 *read_cert(struct blob b)
{
	const unsigned char *at = b.data;
	X509 *c = d2i_X509(NULL, &at, b.size);
	if (c && at != b.data + b.size) { /* libssl: "cert length mismatch" */
		X509_free(c);
		return NULL;
	}
	return c;
}

static const char *judge(struct chain *c)
{
	const char *verdict = "unreadable";
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *sent = sk_X509_new_null();
	X509_VERIFY_PARAM *param;
	need(store && ctx && sent, "no memory");
	for (uint32_t i = 0; i < c->sent; i++) {
		X509 *cert = read_cert(c->certs[i]);
		if (!cert)
			goto done;
		sk_X509_push(sent, cert);
		if (i == 0 && !X509_get0_pubkey(cert)) { /* libssl refuses it after the chain */
			verdict = "unusable key";
			goto done;
		}
	}
	for (uint32_t i = 0; i < c->roots; i++) {
		X509 *cert = read_cert(c->trusted[i]);
		if (!cert)
			goto done;
		X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
	need(X509_STORE_CTX_init(ctx, store, sk_X509_value(sent, 0), sent), "X509_STORE_CTX_init");
	X509_STORE_CTX_set_default(ctx, "ssl_server");
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_auth_level(param, 2);
	X509_VERIFY_PARAM_set_time(param, c->moment);
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, c->name) && !X509_VERIFY_PARAM_set1_host(param, c->name, 0)) {
		verdict = "unusable name";
		goto done;
	}
	if (X509_verify_cert(ctx) == 1)
		verdict = "ok";
	else
		verdict = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
done:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_pop_free(sent, X509_free);
	ERR_clear_error();
	return verdict;
}

int main(void)
{
	struct chain c;
	while (next_case(&c)) {
		puts(judge(&c));
		free_case(&c);
	}
	return 0;
}
