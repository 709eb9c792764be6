package tls

// Legacy holds the switches for what is off because it is dangerous.
// SECURITY.md says of each which attack it opens.
type Legacy struct {
	// RSAKeyExchange allows the static RSA suites in CipherSuites: no forward
	// secrecy, and a target for Bleichenbacher's attack. RFC 5246 §7.4.7.1.
	RSAKeyExchange bool
	// SSL30 allows SSL 3.0, if MinVersion does too: its padding is not
	// authenticated (POODLE). RFC 7568.
	SSL30 bool
	// SSL2Hello has a server take a ClientHello in the format of SSL 2.0, which
	// has no extensions. RFC 5246 §E.2.
	SSL2Hello bool
	// DSSSigning has a server sign with a DSA key, in time that depends on it.
	DSSSigning bool
	// DES, TripleDES and RC4 allow the suites of these ciphers: 56-bit keys,
	// blocks of 64 bits (Sweet32), a biased key stream (RFC 7465).
	DES, TripleDES, RC4 bool
	// NullCiphers allows suites that do not encrypt.
	NullCiphers bool
	// Anonymous allows suites in which nobody is authenticated: anyone in
	// between can read and change everything.
	Anonymous bool
	// MD5 allows suites whose MAC is HMAC-MD5.
	MD5 bool
	// Compression offers and accepts DEFLATE up to TLS 1.2, by which secrets
	// leak through lengths (CRIME). RFC 3749.
	Compression bool
	// SmallDH allows groups of 1024 to 2047 bits for DHE (Logjam).
	SmallDH bool
	// PSKWithoutDH allows TLS 1.3 with an external PSK alone, psk_ke, without a key exchange
	// and so without forward secrecy. It is used where the peer insists on it, or
	// PSK.WithoutDH is set. RFC 8446 §4.2.9.
	PSKWithoutDH bool
	// UnsafeRenegotiation allows Conn.Renegotiate with a peer that does not know
	// RFC 5746, and has a client follow such a server where Renegotiation lets it: an
	// attacker can prefix data of its own. A server never follows such a client.
	UnsafeRenegotiation bool
	// SHA1Signatures allows signatures over SHA-1 in TLS 1.2.
	SHA1Signatures bool
	// SHA224Signatures takes the peer's signatures over SHA-224 in TLS 1.2, and those on its
	// certificates, 112 bits strong; we make none. RFC 5246 §7.4.1.4.1.
	SHA224Signatures bool
	// SHA1Chains lets certificates of the peer's chain be signed over SHA-1 or MD5. RFC 9155.
	SHA1Chains bool
	// SmallRSA allows certificates with RSA keys of 1024 to 2047 bits. Without it the
	// peer's own is refused also where its chain is not verified.
	SmallRSA bool
	// AnyKeyUsage takes a peer's key for what its certificate says it is not for: signing
	// without digitalSignature, decrypting without keyEncipherment. State tells of it.
	// Where the chain is not verified it is taken anyway. RFC 8446 §4.4.2.2.
	AnyKeyUsage bool
	// UnannouncedEnd takes the end of the stream below, between two records, for the
	// peer's end though it sent no close_notify: Read returns io.EOF, as with crypto/tls.
	// Anyone on the path can end a stream so. RFC 8446 §6.1.
	UnannouncedEnd bool
	// NoExtendedMasterSecret leaves out RFC 7627, which binds a TLS 1.2 session
	// to its handshake.
	NoExtendedMasterSecret bool
	// NoEncryptThenMAC leaves out RFC 7366 for the CBC suites.
	NoEncryptThenMAC bool
	// FallbackSCSV has a client mark its hello as a second try with a lower
	// MaxVersion, which servers refuse if they could do better. RFC 7507.
	FallbackSCSV bool
}
