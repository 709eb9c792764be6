package wire

import (
	"strings"
	"testing"
)

func FuzzCompressedCertificate(f *testing.F) { fuzzMessage(f, TypeCompressedCertificate) }

func TestCompressedCertificateFields(t *testing.T) {
	for name, want := range map[string]struct {
		algorithm CertificateCompression
		says      string
	}{"openssl-zlib": {CertificateZlib, "zlib"}, "openssl-zstd": {CertificateZstd, "zstd"}} {
		m := decode[*CompressedCertificate](t, "CompressedCertificate", name)
		if m.Algorithm != want.algorithm || m.Algorithm.String() != want.says || m.Length != 416 || len(m.Compressed) < 300 {
			t.Errorf("%s: %v, %d bytes for %d", name, m.Algorithm, len(m.Compressed), m.Length)
		}
	}
}

func TestRawPublicKeyOfCertificate(t *testing.T) {
	for _, name := range []string{"openssl-raw-tls12", "openssl-raw-tls13"} {
		if m := decode[*Certificate](t, "Certificate", name); len(m.Entries) != 1 || len(m.Entries[0].DER) != 91 {
			t.Errorf("%s: %+v", name, m.Entries)
		}
	}
	none := Context{Version: TLS12, CertificateType: CertificateTypeRawPublicKey}
	var m Certificate
	if err := Decode(&m, []byte{0, 0, 0}, none, nil); err != nil || len(m.Entries) != 0 {
		t.Errorf("a client without a key: %+v, %v", m.Entries, err)
	}
	none.Version = TLS13
	two := (&Certificate{Entries: []CertificateEntry{{DER: []byte{1}}, {DER: []byte{2}}}}).Append(nil, none)
	if err := Decode(&m, two, none, nil); err == nil || !strings.Contains(err.Error(), "stands alone") {
		t.Errorf("two keys: %v", err)
	}
}

func TestCertificateTypesThatSayNothing(t *testing.T) {
	for name, body := range map[string][]byte{"none": {0}, "X.509 alone": {1, 0}} {
		r := NewReader(body, nil)
		ReadCertificateTypes(&r, nil)
		if err, ok := r.Finish("").(*SyntaxError); !ok || !err.Illegal {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := NewReader([]byte{2, 0, 2}, nil)
	if got := ReadCertificateTypes(&r, nil); len(got) != 2 || r.Finish("") != nil {
		t.Errorf("%v, %v", got, r.Err())
	}
}

func TestCompressionsThatStandTwice(t *testing.T) {
	r := NewReader([]byte{4, 0, 2, 0, 2}, nil)
	if ReadCertificateCompressions(&r, nil); r.Finish("") == nil {
		t.Error("brotli stands twice")
	}
}
