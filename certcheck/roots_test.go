package certcheck

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"
)

// systemRoots is where Debian and its kin have the authorities that the machine trusts.
const systemRoots = "/etc/ssl/certs/ca-certificates.crt"

// Every root of the world's programs can be read, and breaks no rule by which a path below
// it would be refused; but some have expired.
func TestSystemRoots(t *testing.T) {
	text, err := os.ReadFile(systemRoots)
	if err != nil {
		t.Skipf("there is no file with the system's roots: %v", err)
	}
	leaf := server(t, authority(t, "Root", nil)).Certificate
	o := Options{Name: "example.com", Time: now}
	o.setDefaults()
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		n++
		certs, err := Parse([][]byte{block.Bytes})
		if err != nil {
			t.Errorf("root %d: %v", n, err)
			continue
		}
		p := path{chain: []*x509.Certificate{leaf, certs[0]}, o: &o}
		for _, r := range Rules() {
			if r.on&onRoot == 0 || r.Profile > Interoperable || r.Name == "valid-now" {
				continue
			}
			if breach := r.check(&p, certs[0]); breach != "" {
				t.Errorf("%s: %s", r.Name, breach)
			}
		}
	}
	if n < 50 {
		t.Errorf("%d roots in %s", n, systemRoots)
	}
}
