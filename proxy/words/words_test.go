package words

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

func TestAgreement(t *testing.T) {
	for _, test := range []struct {
		a    Agreement
		want string // of the error; "" for none
	}{
		{Agreement{}, ""},
		{Agreement{Min: "TLSv1.2", Max: "1.3"}, ""},
		{Agreement{Max: "tls1.1"}, ""},
		{Agreement{Min: "tls2"}, "min: \"tls2\" is not a version"},
		{Agreement{Min: "tls1.3", Max: "tls1.2"}, "swap them"},
		{Agreement{Min: "ssl3.0"}, "add ssl30 to legacy"},
		{Agreement{Min: "ssl3.0", Legacy: []string{"ssl30"}}, ""},
		{Agreement{Suites: []string{"ECDHE-RSA-AES128-GCM-SHA256"}}, ""},
		{Agreement{Suites: []string{"TLS_RSA_WITH_AES_128_GCM_SHA256"}}, "add rsa-key-exchange to legacy"},
		{Agreement{Suites: []string{"TLS_RSA_WITH_AES_128_GCM_SHA256"}, Legacy: []string{"rsa-key-exchange"}}, ""},
		{Agreement{Suites: []string{"best"}}, "suites: \"best\""},
		{Agreement{Groups: []string{"P-256", "x25519mlkem768"}}, ""},
		{Agreement{Groups: []string{"curve"}}, "groups: \"curve\""},
		{Agreement{SigAlgs: []string{"ecdsa_secp256r1_sha256"}}, ""},
		{Agreement{SigAlgs: []string{"md5"}}, "sigalgs: \"md5\""},
		{Agreement{SigAlgs: []string{"rsa_pkcs1_sha1"}}, "add sha1-signatures to legacy"},
		{Agreement{Suites: []string{"TLS_AES_128_GCM_SHA256"}, Max: "tls1.2"}, "no suite here is for"},
		{Agreement{Legacy: []string{"all"}, Suites: []string{"RC4-MD5"}}, ""},
		{Agreement{Legacy: []string{"everything"}}, "legacy: \"everything\""},
	} {
		var c tls.Config
		err := test.a.Apply(&c)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test.a, err)
		}
	}
}
