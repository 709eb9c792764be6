package wire

import "slices"

// CertificateCompression is an algorithm by which Certificate messages are compressed.
// RFC 8879 §7.3.
type CertificateCompression uint16

const (
	CertificateZlib   CertificateCompression = 1
	CertificateBrotli CertificateCompression = 2
	CertificateZstd   CertificateCompression = 3
)

func (a CertificateCompression) String() string {
	if isGREASE(uint16(a)) {
		return greaseName(uint16(a))
	}
	return named(map[CertificateCompression]string{
		CertificateZlib: "zlib", CertificateBrotli: "brotli", CertificateZstd: "zstd",
	}, a, "certificate_compression")
}

// ReadCertificateCompressions reads the body of compress_certificate, appending to dst. An
// algorithm that stands twice is an error. RFC 8879 §3.
//
//	CertificateCompressionAlgorithm algorithms<2..2^8-2>;
func ReadCertificateCompressions(r *Reader, dst []CertificateCompression) []CertificateCompression {
	m := r.Open("algorithms", 1, 2, 254)
	for r.More() {
		a := U16[CertificateCompression](r, "algorithm")
		if slices.Contains(dst, a) {
			r.Fail("algorithm", a.String()+" stands twice")
		}
		dst = append(dst, a)
	}
	r.Close("algorithms", m)
	return dst
}

// AppendCertificateCompressions appends the body of compress_certificate.
func AppendCertificateCompressions(b []byte, list []CertificateCompression) []byte {
	b, mark := openVector(b, 1)
	for _, a := range list {
		b = AppendU16(b, a)
	}
	return closeVector(b, mark, 1)
}

// CompressedCertificate stands for a Certificate message: its body, compressed. TLS 1.3.
// The transcript has this message, not the one inside.
//
// RFC 8879 §4:
//
//	struct {
//	    CertificateCompressionAlgorithm algorithm;
//	    uint24 uncompressed_length;
//	    opaque compressed_certificate_message<1..2^24-1>;
//	} CompressedCertificate;
type CompressedCertificate struct {
	Algorithm CertificateCompression
	// Length is what the body of the Certificate has, in bytes, as the sender claims.
	Length     uint32
	Compressed []byte
}

func (m *CompressedCertificate) Type() HandshakeType { return TypeCompressedCertificate }

func (m *CompressedCertificate) Parse(r *Reader, _ Context) {
	m.Algorithm = U16[CertificateCompression](r, "algorithm")
	m.Length = r.U24("uncompressed_length")
	m.Compressed = r.Opaque("compressed_certificate_message", 3, 1, 1<<24-1)
}

func (m *CompressedCertificate) Append(b []byte, _ Context) []byte {
	b = AppendU16(b, m.Algorithm)
	b = append(b, byte(m.Length>>16), byte(m.Length>>8), byte(m.Length))
	return appendOpaque(b, 3, m.Compressed)
}
