package explain

import "github.com/vitrine-tls/vitrine/wire"

// stories say of each key exchange which messages make it, and what enters the
// premaster secret.
var stories = map[wire.KeyExchange]string{
	wire.KeyExchangeRSA: "the client makes the premaster secret up and sends it in its ClientKeyExchange, encrypted to the RSA key of the server's Certificate",
	wire.KeyExchangeDHE: "ServerKeyExchange and ClientKeyExchange bring a fresh Diffie-Hellman key each, the server's signed with the key of its Certificate; " +
		"what the two keys have in common is the premaster secret",
	wire.KeyExchangeECDHE: "ServerKeyExchange and ClientKeyExchange bring a fresh key each on an elliptic curve, the server's signed with the key of its Certificate; " +
		"what the two keys have in common is the premaster secret",
	wire.KeyExchangeDHAnon: "ServerKeyExchange and ClientKeyExchange bring a fresh Diffie-Hellman key each, and nobody signs; " +
		"what the two keys have in common is the premaster secret",
	wire.KeyExchangeECDHAnon: "ServerKeyExchange and ClientKeyExchange bring a fresh key each on an elliptic curve, and nobody signs; " +
		"what the two keys have in common is the premaster secret",
	wire.KeyExchangePSK: "ServerKeyExchange may hint at a pre-shared key, ClientKeyExchange names it; the premaster secret is zeros and that key",
	wire.KeyExchangeDHEPSK: "ServerKeyExchange and ClientKeyExchange bring a fresh Diffie-Hellman key each, and the name of a pre-shared one; " +
		"the premaster secret is what the two have in common, and the pre-shared key",
	wire.KeyExchangeECDHEPSK: "ServerKeyExchange and ClientKeyExchange bring a fresh key each on an elliptic curve, and the name of a pre-shared one; " +
		"the premaster secret is what the two have in common, and the pre-shared key",
	wire.KeyExchangeRSAPSK: "ClientKeyExchange names a pre-shared key and brings 48 bytes that the client made up, encrypted to the RSA key of the server's Certificate; " +
		"the premaster secret is these and the pre-shared key",
}

const (
	story13        = "the key shares of both hellos are a fresh key each; what they have in common enters the handshake secret"
	storyPSK13     = ", after the pre-shared key of the session that is resumed"
	storyResumed   = "no key exchange: the master secret of the session makes new keys with the new randoms"
	storyLate      = "the server asks in a CertificateRequest, the client answers with Certificate, CertificateVerify and a Finished keyed by its application traffic secret"
	storyNotKept   = "what came of it was not kept"
	storyUnsettled = "it ended before the two sides agreed on anything"
)
