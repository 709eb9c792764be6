package wire

import (
	"errors"
	"fmt"
	"testing"
)

func FuzzCertificateStatus(f *testing.F) { fuzzMessage(f, TypeCertificateStatus) }

func TestCertificateStatusFields(t *testing.T) {
	m := decode[*CertificateStatus](t, "CertificateStatus", "openssl-tls12-ecdsa")
	if len(m.Response) != 1349 || m.Response[0] != 0x30 {
		t.Errorf("%d bytes, first %x", len(m.Response), m.Response[0])
	}
}

func TestCertificateStatusOfSeveral(t *testing.T) {
	m := decode[*CertificateStatus](t, "CertificateStatus", "handmade-multi")
	if m.Response != nil || fmt.Sprintf("%q", m.Responses) != `["leaf" "" "root"]` {
		t.Errorf("%q, %q", m.Response, m.Responses)
	}
	if m = decode[*CertificateStatus](t, "CertificateStatus", "openssl-tls12-ecdsa"); m.Responses != nil {
		t.Errorf("a single one is read as %d", len(m.Responses))
	}
}

func TestCertificateStatusIsRefused(t *testing.T) {
	for body, illegal := range map[string]bool{ // and whether a value is at fault, not the form
		"\x00\x00\x00\x01\x00":                  true,
		"\x03\x00\x00\x01\x00":                  true,
		"\x01\x00\x00\x00":                      false,
		"\x02\x00\x00\x00":                      false, // no list is empty
		"\x02\x00\x00\x01\x00":                  false,
		"\x02\x00\x00\x02\x00\x00":              false,
		"\x02\x00\x00\x03\x00\x00\x01":          false,
		"\x02\x00\x00\x03\x00\x00\x00\x00":      false,
		"\x02\x00\x00\x04\x00\x00\x00":          false,
		"\x02\x00\x00\x04\x00\x00\x01a\x00":     false,
		"\x02\x00\x00\x05\x00\x00\x01a\x00":     false,
		"\x02\x00\x00\x07\x00\x00\x01a\x00\x00": false,
	} {
		err := Decode(new(CertificateStatus), []byte(body), Context{Version: TLS12}, nil)
		var s *SyntaxError
		if !errors.As(err, &s) || s.Illegal != illegal {
			t.Errorf("%q: %v, want one of a value: %v", body, err, illegal)
		}
	}
	if err := Decode(new(CertificateStatus), []byte("\x02\x00\x00\x04\x00\x00\x01a"), Context{Version: TLS13}, nil); err == nil {
		t.Error("TLS 1.3 has a list")
	}
}
