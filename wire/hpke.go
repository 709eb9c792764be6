package wire

// HPKEKEM is the number of a key encapsulation of HPKE. RFC 9180 §7.1.
type HPKEKEM uint16

const (
	KEMP256   HPKEKEM = 0x0010
	KEMP384   HPKEKEM = 0x0011
	KEMP521   HPKEKEM = 0x0012
	KEMX25519 HPKEKEM = 0x0020
)

var kemNames = map[HPKEKEM]string{
	KEMP256: "DHKEM(P-256, HKDF-SHA256)", KEMP384: "DHKEM(P-384, HKDF-SHA384)", KEMP521: "DHKEM(P-521, HKDF-SHA512)",
	KEMX25519: "DHKEM(X25519, HKDF-SHA256)", 0x0021: "DHKEM(X448, HKDF-SHA512)", 0x0030: "X25519Kyber768Draft00",
	0x0041: "ML-KEM-768", 0x0042: "ML-KEM-1024", 0x0050: "MLKEM768-P256", 0x0051: "MLKEM1024-P384", 0x647a: "MLKEM768-X25519",
}

func (k HPKEKEM) String() string { return named(kemNames, k, "kem") }

// HPKEKDF is the number of a key derivation of HPKE. RFC 9180 §7.2.
type HPKEKDF uint16

const (
	KDFSHA256 HPKEKDF = 1
	KDFSHA384 HPKEKDF = 2
	KDFSHA512 HPKEKDF = 3
)

var kdfNames = map[HPKEKDF]string{KDFSHA256: "HKDF-SHA256", KDFSHA384: "HKDF-SHA384", KDFSHA512: "HKDF-SHA512"}

func (k HPKEKDF) String() string { return named(kdfNames, k, "kdf") }

// HPKEAEAD is the number of a cipher of HPKE. RFC 9180 §7.3.
type HPKEAEAD uint16

const (
	AEADAES128   HPKEAEAD = 1
	AEADAES256   HPKEAEAD = 2
	AEADChaCha20 HPKEAEAD = 3
)

var aeadNames = map[HPKEAEAD]string{AEADAES128: "AES-128-GCM", AEADAES256: "AES-256-GCM", AEADChaCha20: "ChaCha20Poly1305", 0xffff: "export-only"}

func (a HPKEAEAD) String() string { return named(aeadNames, a, "aead") }

// HPKESuite is a pair of a derivation and a cipher. RFC 9849 §4.
//
//	struct {
//	    HpkeKdfId kdf_id;
//	    HpkeAeadId aead_id;
//	} HpkeSymmetricCipherSuite;
type HPKESuite struct {
	KDF  HPKEKDF
	AEAD HPKEAEAD
}

func (s HPKESuite) String() string { return s.KDF.String() + ", " + s.AEAD.String() }

func readHPKESuite(r *Reader) HPKESuite {
	g := r.Group("cipher_suite")
	s := HPKESuite{U16[HPKEKDF](r, "kdf_id"), U16[HPKEAEAD](r, "aead_id")}
	r.Close("cipher_suite", g)
	return s
}

func appendHPKESuite(b []byte, s HPKESuite) []byte { return AppendU16(AppendU16(b, s.KDF), s.AEAD) }
