package wire

import "fmt"

// Role is a side of the connection.
type Role uint8

const (
	Client Role = iota + 1
	Server
)

func (r Role) String() string {
	switch r {
	case Client:
		return "client"
	case Server:
		return "server"
	}
	return "nobody"
}

// Peer returns the other side.
func (r Role) Peer() Role { return Client + Server - r }

// Version is a ProtocolVersion as it stands on the wire. RFC 8446 §4.2.1.
type Version uint16

const (
	SSL20 Version = 0x0002
	SSL30 Version = 0x0300
	TLS10 Version = 0x0301
	TLS11 Version = 0x0302
	TLS12 Version = 0x0303
	TLS13 Version = 0x0304
)

var versionNames = map[Version]string{
	SSL20: "SSL 2.0", SSL30: "SSL 3.0", TLS10: "TLS 1.0", TLS11: "TLS 1.1", TLS12: "TLS 1.2", TLS13: "TLS 1.3",
}

func (v Version) String() string {
	if isGREASE(uint16(v)) {
		return greaseName(uint16(v))
	}
	return named(versionNames, v, "version")
}

// ContentType is the type of a record. RFC 8446 §5.1.
type ContentType uint8

const (
	ContentChangeCipherSpec ContentType = 20
	ContentAlert            ContentType = 21
	ContentHandshake        ContentType = 22
	ContentApplicationData  ContentType = 23
)

var contentTypeNames = map[ContentType]string{
	ContentChangeCipherSpec: "change_cipher_spec", ContentAlert: "alert",
	ContentHandshake: "handshake", ContentApplicationData: "application_data",
}

func (t ContentType) String() string { return named(contentTypeNames, t, "content_type") }

// HandshakeType is the first byte of a handshake message. RFC 8446 §4,
// RFC 5246 §7.4, RFC 6066 §8.
type HandshakeType uint8

const (
	TypeHelloRequest             HandshakeType = 0
	TypeClientHello              HandshakeType = 1
	TypeServerHello              HandshakeType = 2
	TypeNewSessionTicket         HandshakeType = 4
	TypeEndOfEarlyData           HandshakeType = 5
	TypeEncryptedExtensions      HandshakeType = 8
	TypeCertificate              HandshakeType = 11
	TypeServerKeyExchange        HandshakeType = 12
	TypeCertificateRequest       HandshakeType = 13
	TypeServerHelloDone          HandshakeType = 14
	TypeCertificateVerify        HandshakeType = 15
	TypeClientKeyExchange        HandshakeType = 16
	TypeClientCertificateRequest HandshakeType = 17
	TypeFinished                 HandshakeType = 20
	TypeCertificateStatus        HandshakeType = 22
	TypeKeyUpdate                HandshakeType = 24
	TypeCompressedCertificate    HandshakeType = 25
	TypeMessageHash              HandshakeType = 254
)

var handshakeTypeNames = map[HandshakeType]string{
	TypeHelloRequest: "HelloRequest", TypeClientHello: "ClientHello", TypeServerHello: "ServerHello",
	TypeClientCertificateRequest: "ClientCertificateRequest", TypeNewSessionTicket: "NewSessionTicket", TypeEndOfEarlyData: "EndOfEarlyData",
	TypeEncryptedExtensions: "EncryptedExtensions", TypeCertificate: "Certificate",
	TypeServerKeyExchange: "ServerKeyExchange", TypeCertificateRequest: "CertificateRequest",
	TypeServerHelloDone: "ServerHelloDone", TypeCertificateVerify: "CertificateVerify",
	TypeClientKeyExchange: "ClientKeyExchange", TypeFinished: "Finished",
	TypeCertificateStatus: "CertificateStatus", TypeKeyUpdate: "KeyUpdate", TypeCompressedCertificate: "CompressedCertificate", TypeMessageHash: "message_hash",
}

func (t HandshakeType) String() string { return named(handshakeTypeNames, t, "handshake_type") }

// CompressionMethod of RFC 3749.
type CompressionMethod uint8

const (
	CompressionNull    CompressionMethod = 0
	CompressionDeflate CompressionMethod = 1
)

func (c CompressionMethod) String() string {
	return named(map[CompressionMethod]string{CompressionNull: "null", CompressionDeflate: "DEFLATE"}, c, "compression")
}

// NamedGroup is a key-exchange group. RFC 8446 §4.2.7, RFC 8422 §5.1.1, RFC 7919.
type NamedGroup uint16

const (
	GroupP256               NamedGroup = 0x0017
	GroupP384               NamedGroup = 0x0018
	GroupP521               NamedGroup = 0x0019
	GroupX25519             NamedGroup = 0x001d
	GroupX448               NamedGroup = 0x001e
	GroupFFDHE2048          NamedGroup = 0x0100
	GroupFFDHE3072          NamedGroup = 0x0101
	GroupFFDHE4096          NamedGroup = 0x0102
	GroupFFDHE6144          NamedGroup = 0x0103
	GroupFFDHE8192          NamedGroup = 0x0104
	GroupMLKEM512           NamedGroup = 0x0200
	GroupMLKEM768           NamedGroup = 0x0201
	GroupMLKEM1024          NamedGroup = 0x0202
	GroupSecP256r1MLKEM768  NamedGroup = 0x11eb
	GroupX25519MLKEM768     NamedGroup = 0x11ec
	GroupSecP384r1MLKEM1024 NamedGroup = 0x11ed
)

var groupNames = map[NamedGroup]string{
	GroupP256: "secp256r1", GroupP384: "secp384r1", GroupP521: "secp521r1",
	GroupX25519: "x25519", GroupX448: "x448",
	GroupFFDHE2048: "ffdhe2048", GroupFFDHE3072: "ffdhe3072", GroupFFDHE4096: "ffdhe4096",
	GroupFFDHE6144: "ffdhe6144", GroupFFDHE8192: "ffdhe8192",
	GroupMLKEM512: "MLKEM512", GroupMLKEM768: "MLKEM768", GroupMLKEM1024: "MLKEM1024",
	GroupSecP256r1MLKEM768: "SecP256r1MLKEM768", GroupX25519MLKEM768: "X25519MLKEM768",
	GroupSecP384r1MLKEM1024: "SecP384r1MLKEM1024",
}

func (g NamedGroup) String() string {
	if isGREASE(uint16(g)) {
		return greaseName(uint16(g))
	}
	return named(groupNames, g, "group")
}

// SignatureScheme of RFC 8446 §4.2.3.
type SignatureScheme uint16

const (
	RSAPKCS1SHA1 SignatureScheme = 0x0201
	// RSAMD5SHA1 stands for what RSA signs up to TLS 1.1, MD5 and SHA-1 together.
	// It is of the private range and never on the wire. RFC 4346 §7.4.3.
	RSAMD5SHA1           SignatureScheme = 0xff01
	DSASHA1              SignatureScheme = 0x0202 // RFC 5246 §7.4.1.4.1, as DSASHA256
	ECDSASHA1            SignatureScheme = 0x0203
	RSAPKCS1SHA224       SignatureScheme = 0x0301 // RFC 5246 §7.4.1.4.1, as ECDSASHA224
	ECDSASHA224          SignatureScheme = 0x0303
	RSAPKCS1SHA256       SignatureScheme = 0x0401
	DSASHA256            SignatureScheme = 0x0402
	ECDSAP256SHA256      SignatureScheme = 0x0403
	RSAPKCS1SHA256Legacy SignatureScheme = 0x0420 // draft-ietf-tls-tls13-pkcs1, as the next two
	RSAPKCS1SHA384Legacy SignatureScheme = 0x0520
	RSAPKCS1SHA512Legacy SignatureScheme = 0x0620
	RSAPKCS1SHA384       SignatureScheme = 0x0501
	ECDSAP384SHA384      SignatureScheme = 0x0503
	RSAPKCS1SHA512       SignatureScheme = 0x0601
	ECDSAP521SHA512      SignatureScheme = 0x0603
	RSAPSSRSAESHA256     SignatureScheme = 0x0804
	RSAPSSRSAESHA384     SignatureScheme = 0x0805
	RSAPSSRSAESHA512     SignatureScheme = 0x0806
	Ed25519              SignatureScheme = 0x0807
	Ed448                SignatureScheme = 0x0808
	RSAPSSPSSSHA256      SignatureScheme = 0x0809
	RSAPSSPSSSHA384      SignatureScheme = 0x080a
	RSAPSSPSSSHA512      SignatureScheme = 0x080b
	MLDSA44              SignatureScheme = 0x0904
	MLDSA65              SignatureScheme = 0x0905
	MLDSA87              SignatureScheme = 0x0906
	ECDSABrainpoolP256R1 SignatureScheme = 0x081a
	ECDSABrainpoolP384R1 SignatureScheme = 0x081b
	ECDSABrainpoolP512R1 SignatureScheme = 0x081c
)

var signatureSchemeNames = map[SignatureScheme]string{
	RSAPKCS1SHA1: "rsa_pkcs1_sha1", ECDSASHA1: "ecdsa_sha1",
	RSAPKCS1SHA256: "rsa_pkcs1_sha256", RSAPKCS1SHA384: "rsa_pkcs1_sha384", RSAPKCS1SHA512: "rsa_pkcs1_sha512",
	ECDSAP256SHA256: "ecdsa_secp256r1_sha256", ECDSAP384SHA384: "ecdsa_secp384r1_sha384", ECDSAP521SHA512: "ecdsa_secp521r1_sha512",
	RSAPKCS1SHA256Legacy: "rsa_pkcs1_sha256_legacy", RSAPKCS1SHA384Legacy: "rsa_pkcs1_sha384_legacy", RSAPKCS1SHA512Legacy: "rsa_pkcs1_sha512_legacy",
	RSAPSSRSAESHA256: "rsa_pss_rsae_sha256", RSAPSSRSAESHA384: "rsa_pss_rsae_sha384", RSAPSSRSAESHA512: "rsa_pss_rsae_sha512",
	Ed25519: "ed25519", Ed448: "ed448",
	RSAPSSPSSSHA256: "rsa_pss_pss_sha256", RSAPSSPSSSHA384: "rsa_pss_pss_sha384", RSAPSSPSSSHA512: "rsa_pss_pss_sha512",
	MLDSA44: "mldsa44", MLDSA65: "mldsa65", MLDSA87: "mldsa87",
	ECDSABrainpoolP256R1: "ecdsa_brainpoolP256r1tls13_sha256", ECDSABrainpoolP384R1: "ecdsa_brainpoolP384r1tls13_sha384",
	ECDSABrainpoolP512R1: "ecdsa_brainpoolP512r1tls13_sha512",
	RSAMD5SHA1:           "rsa_pkcs1_md5_sha1",
	DSASHA1:              "dsa_sha1", DSASHA256: "dsa_sha256",
	RSAPKCS1SHA224: "rsa_pkcs1_sha224", ECDSASHA224: "ecdsa_sha224",
	0x0302: "dsa_sha224", 0x0502: "dsa_sha384", 0x0602: "dsa_sha512",
}

func (s SignatureScheme) String() string {
	if isGREASE(uint16(s)) {
		return greaseName(uint16(s))
	}
	return named(signatureSchemeNames, s, "signature_scheme")
}

// ExtensionType of the IANA "TLS ExtensionType Values" registry.
type ExtensionType uint16

const (
	ExtServerName             ExtensionType = 0
	ExtMaxFragmentLength      ExtensionType = 1
	ExtStatusRequest          ExtensionType = 5
	ExtSupportedGroups        ExtensionType = 10
	ExtECPointFormats         ExtensionType = 11
	ExtSignatureAlgorithms    ExtensionType = 13
	ExtALPN                   ExtensionType = 16
	ExtStatusRequestV2        ExtensionType = 17
	ExtSCT                    ExtensionType = 18
	ExtClientCertificateType  ExtensionType = 19
	ExtServerCertificateType  ExtensionType = 20
	ExtPadding                ExtensionType = 21
	ExtEncryptThenMAC         ExtensionType = 22
	ExtExtendedMasterSecret   ExtensionType = 23
	ExtCompressCertificate    ExtensionType = 27
	ExtRecordSizeLimit        ExtensionType = 28
	ExtCertWithExternPSK      ExtensionType = 33
	ExtDelegatedCredential    ExtensionType = 34
	ExtSessionTicket          ExtensionType = 35
	ExtPreSharedKey           ExtensionType = 41
	ExtEarlyData              ExtensionType = 42
	ExtSupportedVersions      ExtensionType = 43
	ExtCookie                 ExtensionType = 44
	ExtPSKKeyExchangeModes    ExtensionType = 45
	ExtCertificateAuthorities ExtensionType = 47
	ExtPostHandshakeAuth      ExtensionType = 49
	ExtSignatureAlgsCert      ExtensionType = 50
	ExtKeyShare               ExtensionType = 51
	ExtQUICParameters         ExtensionType = 57
	ExtTicketRequest          ExtensionType = 58
	ExtECHOuterExtensions     ExtensionType = 0xfd00
	ExtEncryptedClientHello   ExtensionType = 0xfe0d
	ExtRenegotiationInfo      ExtensionType = 0xff01
)

var extensionNames = map[ExtensionType]string{
	ExtServerName: "server_name", ExtMaxFragmentLength: "max_fragment_length", 2: "client_certificate_url",
	3: "trusted_ca_keys", 4: "truncated_hmac", ExtStatusRequest: "status_request", 6: "user_mapping",
	7: "client_authz", 8: "server_authz", 9: "cert_type", ExtSupportedGroups: "supported_groups",
	ExtECPointFormats: "ec_point_formats", 12: "srp", ExtSignatureAlgorithms: "signature_algorithms",
	14: "use_srtp", 15: "heartbeat", ExtALPN: "application_layer_protocol_negotiation",
	ExtStatusRequestV2: "status_request_v2", ExtSCT: "signed_certificate_timestamp", ExtClientCertificateType: "client_certificate_type",
	ExtServerCertificateType: "server_certificate_type", ExtPadding: "padding", ExtEncryptThenMAC: "encrypt_then_mac",
	ExtExtendedMasterSecret: "extended_master_secret", 24: "token_binding", 25: "cached_info",
	ExtCompressCertificate: "compress_certificate", ExtRecordSizeLimit: "record_size_limit",
	ExtCertWithExternPSK:   "tls_cert_with_extern_psk",
	ExtDelegatedCredential: "delegated_credential", ExtSessionTicket: "session_ticket", ExtPreSharedKey: "pre_shared_key",
	ExtEarlyData: "early_data", ExtSupportedVersions: "supported_versions", ExtCookie: "cookie",
	ExtPSKKeyExchangeModes: "psk_key_exchange_modes", ExtCertificateAuthorities: "certificate_authorities",
	48: "oid_filters", ExtPostHandshakeAuth: "post_handshake_auth", ExtSignatureAlgsCert: "signature_algorithms_cert",
	ExtKeyShare: "key_share", 52: "transparency_info", ExtQUICParameters: "quic_transport_parameters",
	ExtTicketRequest: "ticket_request", 13172: "next_protocol_negotiation", 17513: "application_settings",
	17613: "application_settings", ExtECHOuterExtensions: "ech_outer_extensions",
	ExtEncryptedClientHello: "encrypted_client_hello", ExtRenegotiationInfo: "renegotiation_info",
}

func (e ExtensionType) String() string {
	if isGREASE(uint16(e)) {
		return greaseName(uint16(e))
	}
	return named(extensionNames, e, "extension")
}

// PSKMode is a PskKeyExchangeMode. RFC 8446 §4.2.9.
type PSKMode uint8

const (
	PSKModePlain PSKMode = 0
	PSKModeDHE   PSKMode = 1
)

func (m PSKMode) String() string {
	return named(map[PSKMode]string{PSKModePlain: "psk_ke", PSKModeDHE: "psk_dhe_ke"}, m, "psk_mode")
}

// isGREASE reports whether v is one of the 16 reserved values of RFC 8701 §2.
func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// IsGREASE reports whether v is one of the reserved values that RFC 8701 has
// peers send to keep others tolerant of the unknown.
func IsGREASE[T ~uint16](v T) bool { return isGREASE(uint16(v)) }

func greaseName(v uint16) string { return fmt.Sprintf("GREASE (0x%04x)", v) }

func named[T ~uint8 | ~uint16 | ~uint32](names map[T]string, v T, kind string) string {
	if s, ok := names[v]; ok {
		return s
	}
	return fmt.Sprintf("%s(0x%02x)", kind, uint32(v))
}
