package explain

import "github.com/vitrine-tls/vitrine/wire"

// stories say of each key exchange which messages make it, and what enters the
// premaster secret.
var stories = map[wire.KeyExchange]string{
	wire.KeyExchangeRSA: "the client invents the premaster secret and sends it in its ClientKeyExchange, encrypted with the RSA key of the server's certificate",
	wire.KeyExchangeDHE: "ServerKeyExchange and ClientKeyExchange each carry a fresh Diffie-Hellman public key; the server signs its own with the key of its certificate; " +
		"the secret computed from both is the premaster secret",
	wire.KeyExchangeECDHE: "ServerKeyExchange and ClientKeyExchange each carry a fresh public key on an elliptic curve; the server signs its own with the key of its certificate; " +
		"the secret computed from both is the premaster secret",
	wire.KeyExchangeDHAnon: "ServerKeyExchange and ClientKeyExchange each carry a fresh Diffie-Hellman public key, and nobody signs; " +
		"the secret computed from both is the premaster secret",
	wire.KeyExchangeECDHAnon: "ServerKeyExchange and ClientKeyExchange each carry a fresh public key on an elliptic curve, and nobody signs; " +
		"the secret computed from both is the premaster secret",
	wire.KeyExchangePSK: "ServerKeyExchange may hint at a pre-shared key, and ClientKeyExchange names it; the premaster secret is made of zeros and that key",
	wire.KeyExchangeDHEPSK: "ServerKeyExchange and ClientKeyExchange each carry a fresh Diffie-Hellman public key, and ClientKeyExchange names a pre-shared key; " +
		"the premaster secret is made of the secret computed from both, and the pre-shared key",
	wire.KeyExchangeECDHEPSK: "ServerKeyExchange and ClientKeyExchange each carry a fresh public key on an elliptic curve, and ClientKeyExchange names a pre-shared key; " +
		"the premaster secret is made of the secret computed from both, and the pre-shared key",
	wire.KeyExchangeRSAPSK: "ClientKeyExchange names a pre-shared key and carries 48 bytes that the client invented, encrypted with the RSA key of the server's certificate; " +
		"the premaster secret is made of these bytes and the pre-shared key",
}

const (
	story13          = "each hello carries a fresh public key; the secret computed from both feeds the handshake secret"
	storyPSK13       = ", after the pre-shared key of the resumed session"
	storyExternal13  = "each hello carries a fresh public key; the secret computed from both feeds the handshake secret, after the pre-shared key that both sides had"
	storyResumed     = "no key exchange: the master secret of the session and the new randoms make new keys"
	storyAlone13     = "the pre-shared key alone feeds the handshake secret: anyone who gets it later can read this connection"
	storyLate        = "the server asks in a CertificateRequest; the client answers with Certificate, CertificateVerify and a Finished, whose key comes from its application traffic secret"
	storyNotKept     = "its result was not kept"
	storyUnsettled   = "it ended before the two sides agreed on anything"
	storyNotCaptured = "what the two sides agreed on was not captured"
)
