package otherkeys

import (
	"crypto/x509"
	"encoding/asn1"
	"testing"
)

// What is shown has a name, one each, and is nothing that can be used.
func TestAlgorithmsThatAreShown(t *testing.T) {
	names := map[string]bool{}
	for id, name := range shown {
		if names[name] || name == "" || AlgorithmName(id) != name {
			t.Errorf("%s is called %q", id, AlgorithmName(id))
		}
		names[name] = true
	}
	if len(shown) != 12+3+18 {
		t.Errorf("%d names", len(shown))
	}
	for set := MLDSA44; set <= MLDSA87; set++ {
		if id := mldsaSets[set-1].oid.String(); AlgorithmName(id) != set.String() || shown[id] != "" {
			t.Errorf("%s is called %q", id, AlgorithmName(id))
		}
	}
	if AlgorithmName("1.2.3") != "" {
		t.Error("an algorithm of no kind has a name")
	}
	c := certificate(t, "slhdsa")
	if ShownKey(c) != "SLH-DSA-SHA2-128s" || ShownSignature(c) != "" || Of(c) != nil {
		t.Errorf("%q, %q, %v", ShownKey(c), ShownSignature(c), Of(c))
	}
	if c := certificate(t, "mldsa44"); ShownKey(c) != "" || ShownSignature(c) != "" {
		t.Errorf("%q, %q", ShownKey(c), ShownSignature(c))
	}
	if empty := new(x509.Certificate); ShownKey(empty) != "" || ShownSignature(empty) != "" {
		t.Error("a certificate made by hand has an algorithm")
	}
}

// The key of a composite certificate is named, and read as none.
func TestCompositeKeys(t *testing.T) {
	info := spki(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 6, 40}, nil, make([]byte, 1400))
	if key, err := ParsePublic(info); err == nil || key != nil {
		t.Errorf("a composite key is read as %v", key)
	}
	if name := ShownKey(&x509.Certificate{RawSubjectPublicKeyInfo: info}); name != "composite ML-DSA-44 and ECDSA P-256" {
		t.Errorf("a composite key is called %q", name)
	}
}
