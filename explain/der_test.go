package explain

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

// The fields of a certificate have their names from RFC 5280, and each byte is in one.
func TestCertificateFields(t *testing.T) {
	cert, err := issued[devca.ECDSA]()
	if err != nil {
		t.Fatal(err)
	}
	der := cert.Certificate[0]
	fields := certificateFields(der, 7, 2)
	for _, want := range []Field{
		{Name: "tbsCertificate", Depth: 3, Group: true}, {Name: "serialNumber", Depth: 4}, {Name: "notAfter", Depth: 5},
		{Name: "algorithm", Depth: 6, Value: "EC key (1.2.840.10045.2.1)"}, {Name: "extnID", Depth: 7, Value: "subjectAltName (2.5.29.17)"},
		{Name: "[2]", Depth: 9, Value: `"localhost"`}, {Name: "signatureValue", Depth: 3},
	} {
		if !slices.ContainsFunc(fields, func(f Field) bool {
			return f.Name == want.Name && f.Depth == want.Depth && f.Group == want.Group && (want.Value == "" || f.Value == want.Value)
		}) {
			t.Errorf("there is no field %+v", want)
		}
	}
	tiled(t, fields, 7, len(der))
	for i := range der { // whatever is wrong with it
		for _, x := range []byte{0x01, 0x20, 0x80, 0xff} {
			changed := slices.Clone(der)
			changed[i] ^= x
			if fields := certificateFields(changed, 7, 2); fields != nil {
				tiled(t, fields, 7, len(der))
			}
		}
		if certificateFields(der[:i], 0, 0) != nil {
			t.Errorf("%d bytes are a certificate", i)
		}
	}
	if certificateFields(append(slices.Clone(der), 0), 0, 0) != nil {
		t.Error("a byte behind it belongs to it")
	}
}

// tiled checks that the fields that are no groups have each byte once, in order.
func tiled(t *testing.T, fields []Field, at, length int) {
	t.Helper()
	end := at + length
	for _, f := range fields {
		if f.Group {
			continue
		}
		if f.Offset != at || len(f.Bytes) != f.Length {
			t.Fatalf("%+v stands at %d, not at %d", f, f.Offset, at)
		}
		at += f.Length
	}
	if at != end {
		t.Errorf("the fields end at %d, the certificate at %d", at, end)
	}
}
