/* Judges chains as a client of GnuTLS does that calls gnutls_session_set_verify_cert. A line each: "ok", or why not. */
#include "cases.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

static time_t moment;
static time_t now(time_t *t)
{
	if (t)
		*t = moment;
	return moment;
}

/* The first that is set is the reason. */
static const struct {
	unsigned bit;
	const char *name;
} reasons[] = {
	{GNUTLS_CERT_SIGNATURE_FAILURE, "signature failure"},
	{GNUTLS_CERT_SIGNER_NOT_CA, "signer not CA"},
	{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "signer constraints failure"},
	{GNUTLS_CERT_INSECURE_ALGORITHM, "insecure algorithm"},
	{GNUTLS_CERT_PURPOSE_MISMATCH, "purpose mismatch"},
	{GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "unknown critical extensions"},
	{GNUTLS_CERT_EXPIRED, "expired"},
	{GNUTLS_CERT_NOT_ACTIVATED, "not activated"},
	{GNUTLS_CERT_UNEXPECTED_OWNER, "unexpected owner"},
	{GNUTLS_CERT_SIGNER_NOT_FOUND, "signer not found"},
	{GNUTLS_CERT_INVALID, "invalid"},
};

static int read_cert(gnutls_x509_crt_t *c, struct blob b)
{
	gnutls_datum_t d = {b.data, b.size};
	need(gnutls_x509_crt_init(c) == 0, "no memory");
	return gnutls_x509_crt_import(*c, &d, GNUTLS_X509_FMT_DER) == 0;
}

static const char *judge(struct chain *c)
{
	const char *verdict = "unreadable";
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t sent[MOST];
	gnutls_typed_vdata_st data[2] = {
		{.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)c->name},
		{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER},
	};
	unsigned status = 0;
	uint32_t n = 0;
	need(gnutls_x509_trust_list_init(&list, 0) == 0, "no memory");
	for (uint32_t i = 0; i < c->roots; i++) {
		gnutls_x509_crt_t root;
		if (!read_cert(&root, c->trusted[i])) {
			gnutls_x509_crt_deinit(root);
			goto done;
		}
		need(gnutls_x509_trust_list_add_cas(list, &root, 1, 0) == 1, "gnutls_x509_trust_list_add_cas");
	}
	while (n < c->sent) {
		if (!read_cert(&sent[n], c->certs[n])) {
			n++;
			goto done;
		}
		n++;
	}
	if (n > 16) { /* DEFAULT_MAX_VERIFY_DEPTH, which a session applies */
		verdict = "too many";
		goto done;
	}
	if (gnutls_x509_trust_list_verify_crt2(list, sent, n, data, 2, 0, &status, NULL) < 0) {
		verdict = "error";
		goto done;
	}
	verdict = status ? "other" : "ok";
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (status & reasons[i].bit) {
			verdict = reasons[i].name;
			break;
		}
done:
	for (uint32_t i = 0; i < n; i++)
		gnutls_x509_crt_deinit(sent[i]);
	gnutls_x509_trust_list_deinit(list, 1);
	return verdict;
}

int main(void)
{
	struct chain c;
	gnutls_global_set_time_function(now);
	while (next_case(&c)) {
		moment = c.moment;
		puts(judge(&c));
		free_case(&c);
	}
	return 0;
}
