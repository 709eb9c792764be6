package wire

import (
	"crypto/tls"
	"fmt"
	"testing"
)

// The names of suites and groups are those that the standard library uses.
func TestNumbersAgreeWithCryptoTLS(t *testing.T) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if name, ok := suiteNames[CipherSuite(s.ID)]; ok && name != s.Name {
			t.Errorf("%04x is %s here, %s there", s.ID, name, s.Name)
		}
	}
	for s := range suiteNames {
		if std := tls.CipherSuiteName(uint16(s)); std != s.String() && std != fmt.Sprintf("0x%04X", uint16(s)) {
			t.Errorf("%04x is %v here, %s there", uint16(s), s, std)
		}
	}
	for ours, theirs := range map[NamedGroup]tls.CurveID{
		GroupX25519: tls.X25519, GroupP256: tls.CurveP256, GroupP384: tls.CurveP384, GroupP521: tls.CurveP521,
		GroupX25519MLKEM768: tls.X25519MLKEM768, GroupSecP256r1MLKEM768: tls.SecP256r1MLKEM768,
		GroupSecP384r1MLKEM1024: tls.SecP384r1MLKEM1024,
	} {
		if uint16(ours) != uint16(theirs) {
			t.Errorf("%v is 0x%04x there", ours, uint16(theirs))
		}
	}
	for ours, theirs := range map[SignatureScheme]tls.SignatureScheme{
		RSAPKCS1SHA1: tls.PKCS1WithSHA1, ECDSASHA1: tls.ECDSAWithSHA1, RSAPKCS1SHA256: tls.PKCS1WithSHA256,
		RSAPKCS1SHA384: tls.PKCS1WithSHA384, RSAPKCS1SHA512: tls.PKCS1WithSHA512, ECDSAP256SHA256: tls.ECDSAWithP256AndSHA256,
		ECDSAP384SHA384: tls.ECDSAWithP384AndSHA384, ECDSAP521SHA512: tls.ECDSAWithP521AndSHA512,
		RSAPSSRSAESHA256: tls.PSSWithSHA256, RSAPSSRSAESHA384: tls.PSSWithSHA384, RSAPSSRSAESHA512: tls.PSSWithSHA512,
		Ed25519: tls.Ed25519,
	} {
		if uint16(ours) != uint16(theirs) {
			t.Errorf("%v is 0x%04x there", ours, uint16(theirs))
		}
	}
}

// crypto/tls names an alert in words, with spaces; the numbers must agree.
func TestAlertsAgreeWithCryptoTLS(t *testing.T) {
	for code, want := range map[AlertCode]string{
		AlertBadRecordMAC: "tls: bad record MAC", AlertHandshakeFailure: "tls: handshake failure",
		AlertMissingExtension: "tls: missing extension", AlertNoApplicationProtocol: "tls: no application protocol",
		AlertUnrecognizedName: "tls: unrecognized name", AlertInappropriateFallback: "tls: inappropriate fallback",
		AlertCertificateRequired: "tls: certificate required", AlertDecodeError: "tls: error decoding message",
	} {
		if got := tls.AlertError(code).Error(); got != want {
			t.Errorf("%v is %q in crypto/tls, want %q", code, got, want)
		}
	}
}

func TestNamesOfNumbers(t *testing.T) {
	for got, want := range map[string]string{
		Version(0x7f1c).String():           "version(0x7f1c)",
		Version(0x1a1a).String():           "GREASE (0x1a1a)",
		NamedGroup(0x2a2a).String():        "GREASE (0x2a2a)",
		CipherSuite(0xfafa).String():       "GREASE (0xfafa)",
		ExtensionType(0x0a0a).String():     "GREASE (0x0a0a)",
		TLS13.String():                     "TLS 1.3",
		SSL30.String():                     "SSL 3.0",
		AlertCode(200).String():            "alert 200",
		Client.String():                    "client",
		Client.Peer().String():             "server",
		Server.Peer().String():             "client",
		TypeClientHello.String():           "ClientHello",
		ContentAlert.String():              "alert",
		CompressionMethod(0).String():      "null",
		CompressionDeflate.String():        "DEFLATE",
		DSASHA1.String():                   "dsa_sha1",
		DSASHA256.String():                 "dsa_sha256",
		CertTypeDSSSign.String():           "dss_sign",
		CertTypeRSAFixedDH.String():        "rsa_fixed_dh",
		CertTypeRSAFixedECDH.String():      "rsa_fixed_ecdh",
		ClientCertificateType(7).String():  "certificate_type(0x07)",
		MaxFragmentLength(2).String():      "2^10",
		AlertNoCertificate.String():        "no_certificate",
		AlertDecompressionFailure.String(): "decompression_failure",
		AlertExportRestriction.String():    "export_restriction",
		KeyExchangeECDHEPSK.String():       "ECDHE_PSK",
		PSKModeDHE.String():                "psk_dhe_ke",
		UpdateRequested.String():           "update_requested",
		KeyExchangeECDHE.String():          "ECDHE",
		KeyExchange(99).String():           "key_exchange(0x63)",
		Role(0).String():                   "nobody",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestGREASE(t *testing.T) {
	n := 0
	for v := range 1 << 16 {
		if IsGREASE(uint16(v)) {
			n++
		}
	}
	if n != 16 || !IsGREASE(CipherSuite(0x0a0a)) || IsGREASE(CipherSuite(0x0a1a)) {
		t.Errorf("%d values are GREASE", n)
	}
}
