package wire

// DelegatedCredential is a key that the owner of a certificate has signed, to be used in
// place of the certificate's own for a few days. It stands in an extension of the leaf's
// entry in Certificate.
//
// RFC 9345 §4:
//
//	struct {
//	    uint32 valid_time;
//	    SignatureScheme dc_cert_verify_algorithm;
//	    opaque ASN1_subjectPublicKeyInfo<1..2^24-1>;
//	} Credential;
//
//	struct {
//	    Credential cred;
//	    SignatureScheme algorithm;
//	    opaque signature<0..2^16-1>;
//	} DelegatedCredential;
type DelegatedCredential struct {
	// ValidTime is until when the credential is valid, in seconds after the notBefore of
	// its certificate.
	ValidTime uint32
	// Scheme is what the credential's key signs CertificateVerify with.
	Scheme    SignatureScheme
	PublicKey []byte // SubjectPublicKeyInfo in DER
	// Algorithm is what the certificate's key has signed with.
	Algorithm SignatureScheme
	Signature []byte
}

// Read reads the body of the extension. What it keeps aliases the reader's input.
func (d *DelegatedCredential) Read(r *Reader) {
	g := r.Group("cred")
	d.ValidTime = r.U32("valid_time")
	d.Scheme = U16[SignatureScheme](r, "dc_cert_verify_algorithm")
	d.PublicKey = r.Opaque("ASN1_subjectPublicKeyInfo", 3, 1, 1<<24-1)
	r.Close("cred", g)
	d.Algorithm = U16[SignatureScheme](r, "algorithm")
	d.Signature = r.Opaque("signature", 2, 0, 1<<16-1)
}

// Append appends the body of the extension.
func (d *DelegatedCredential) Append(b []byte) []byte {
	return appendOpaque(AppendU16(d.appendCredential(b), d.Algorithm), 2, d.Signature)
}

func (d *DelegatedCredential) appendCredential(b []byte) []byte {
	return appendOpaque(AppendU16(appendU32(b, d.ValidTime), d.Scheme), 3, d.PublicKey)
}

// What the signature on a credential begins with, for each side that may use it. RFC 9345 §4.
const (
	delegatedServer = "TLS, server delegated credentials"
	delegatedClient = "TLS, client delegated credentials"
)

// AppendSigned appends what the key of a certificate, leaf in DER, signs for role to
// delegate the credential: all of it but the signature. RFC 9345 §4.
func (d *DelegatedCredential) AppendSigned(b []byte, role Role, leaf []byte) []byte {
	for range 64 {
		b = append(b, ' ')
	}
	context := delegatedServer
	if role == Client {
		context = delegatedClient
	}
	b = append(append(append(b, context...), 0), leaf...)
	return AppendU16(d.appendCredential(b), d.Algorithm)
}
