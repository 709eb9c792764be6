package wire

// Certificate is a chain of X.509 certificates, the sender's own first.
//
// RFC 8446 §4.4.2:
//
//	struct {
//	    opaque cert_data<1..2^24-1>;
//	    Extension extensions<0..2^16-1>;
//	} CertificateEntry;
//
//	struct {
//	    opaque certificate_request_context<0..2^8-1>;
//	    CertificateEntry certificate_list<0..2^24-1>;
//	} Certificate;
//
// RFC 5246 §7.4.2:
//
//	opaque ASN.1Cert<1..2^24-1>;
//
//	struct {
//	    ASN.1Cert certificate_list<0..2^24-1>;
//	} Certificate;
//
// Where raw public keys were agreed on, TLS 1.3 has one entry, with a SubjectPublicKeyInfo
// in place of the certificate (RFC 8446 §4.4.2). The versions before have no list, and the
// key of a client that has none is empty. RFC 7250 §3:
//
//	struct {
//	    opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>;
//	} Certificate;
type Certificate struct {
	RequestContext []byte // TLS 1.3; empty in the main handshake
	Entries        []CertificateEntry
}

// CertificateEntry is one certificate, or one SubjectPublicKeyInfo, in DER and, in TLS 1.3,
// its extensions.
type CertificateEntry struct {
	DER        []byte
	Extensions Extensions
}

func (m *Certificate) Type() HandshakeType { return TypeCertificate }

func (m *Certificate) Parse(r *Reader, c Context) {
	m.RequestContext = nil
	if c.Version >= TLS13 {
		m.RequestContext = r.Opaque("certificate_request_context", 1, 0, 255)
	}
	m.Entries = m.Entries[:0]
	raw, data := c.CertificateType == CertificateTypeRawPublicKey, "cert_data"
	if raw {
		data = "ASN1_subjectPublicKeyInfo"
	}
	if raw && c.Version < TLS13 {
		if key := r.Opaque(data, 3, 0, 1<<24-1); len(key) > 0 {
			m.Entries = append(m.Entries, CertificateEntry{DER: key})
		}
		return
	}
	list := r.Open("certificate_list", 3, 0, 1<<24-1)
	for r.More() {
		var e CertificateEntry
		g := r.Group("certificate")
		if raw && len(m.Entries) > 0 {
			r.Fail("certificate_list", "a raw public key stands alone, without a chain")
		}
		e.DER = r.Opaque(data, 3, 1, 1<<24-1)
		if c.Version >= TLS13 {
			e.Extensions = readExtensions(r, inCertificate, nil)
		}
		r.Close("certificate", g)
		m.Entries = append(m.Entries, e)
	}
	r.Close("certificate_list", list)
}

func (m *Certificate) Append(b []byte, c Context) []byte {
	if c.Version >= TLS13 {
		b = appendOpaque(b, 1, m.RequestContext)
	}
	if c.CertificateType == CertificateTypeRawPublicKey && c.Version < TLS13 {
		var key []byte
		if len(m.Entries) > 0 {
			key = m.Entries[0].DER
		}
		return appendOpaque(b, 3, key)
	}
	b, list := openVector(b, 3)
	for _, e := range m.Entries {
		b = appendOpaque(b, 3, e.DER)
		if c.Version >= TLS13 {
			b = appendExtensions(b, e.Extensions)
		}
	}
	return closeVector(b, list, 3)
}
