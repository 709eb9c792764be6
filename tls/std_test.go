package tls

import (
	stdtls "crypto/tls"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func TestCipherSuites(t *testing.T) {
	byID := map[uint16]*stdtls.CipherSuite{}
	for _, s := range append(stdtls.CipherSuites(), stdtls.InsecureCipherSuites()...) {
		byID[s.ID] = s
	}
	seen := map[uint16]bool{}
	for _, list := range [][]*CipherSuite{CipherSuites(), InsecureCipherSuites()} {
		if !slices.IsSortedFunc(list, func(a, b *CipherSuite) int { return int(a.ID) - int(b.ID) }) {
			t.Error("the list is not sorted by number")
		}
		for _, s := range list {
			if seen[s.ID] {
				t.Errorf("%s is listed twice", s.Name)
			}
			seen[s.ID] = true
			if std := byID[s.ID]; std != nil && (std.Name != s.Name || !reflect.DeepEqual(std.SupportedVersions, s.SupportedVersions)) {
				t.Errorf("%+v, but crypto/tls has %+v", s, std)
			}
			if std := byID[s.ID]; std != nil && std.Insecure && !s.Insecure {
				t.Errorf("%s is secure here and insecure in crypto/tls", s.Name)
			}
			if got := CipherSuiteName(s.ID); got != s.Name {
				t.Errorf("CipherSuiteName(%#x) = %q, want %q", s.ID, got, s.Name)
			}
		}
	}
	if got := fmt.Sprint(len(CipherSuites()), len(InsecureCipherSuites())); got != "9 130" {
		t.Errorf("secure and insecure suites: %s", got)
	}
	for _, s := range CipherSuites() {
		if s.Insecure {
			t.Errorf("%s is listed as secure and marked insecure", s.Name)
		}
	}
	CipherSuites()[0].Name = "changed"
	if CipherSuites()[0].Name == "changed" {
		t.Error("a caller can change the list for others")
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		CipherSuiteName(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384): "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
		CipherSuiteName(TLS_RSA_WITH_RC4_128_SHA):              "TLS_RSA_WITH_RC4_128_SHA",
		CipherSuiteName(0xfffe):                                "0xFFFE",
		VersionName(VersionTLS13):                              "TLS 1.3",
		VersionName(1):                                         "0x0001",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
