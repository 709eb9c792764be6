package wire

import "testing"

func FuzzCertificateStatus(f *testing.F) { fuzzMessage(f, TypeCertificateStatus) }

func TestCertificateStatusFields(t *testing.T) {
	m := decode[*CertificateStatus](t, "CertificateStatus", "openssl-tls12-ecdsa")
	if len(m.Response) != 1349 || m.Response[0] != 0x30 {
		t.Errorf("%d bytes, first %x", len(m.Response), m.Response[0])
	}
}

func TestCertificateStatusOfOtherTypeIsRefused(t *testing.T) {
	err := Decode(new(CertificateStatus), []byte{2, 0, 0, 1, 0}, Context{}, nil)
	if err == nil {
		t.Error("status_type 2 was accepted")
	}
}
