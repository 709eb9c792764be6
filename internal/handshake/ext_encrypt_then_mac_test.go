package handshake

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A server may answer encrypt_then_mac with CBC suites; with NULL it changes
// nothing, and with others it is wrong. RFC 7366 §3.
func TestAcceptEncryptThenMAC(t *testing.T) {
	for _, test := range []struct {
		suite wire.CipherSuite
		on    bool
		alert wire.AlertCode
	}{
		{wire.TLS_RSA_WITH_AES_128_CBC_SHA, true, 0},
		{wire.TLS_RSA_WITH_NULL_SHA, false, 0},
		{wire.TLS_RSA_WITH_RC4_128_SHA, false, wire.AlertIllegalParameter},
		{wire.TLS_RSA_WITH_AES_128_GCM_SHA256, false, wire.AlertIllegalParameter},
	} {
		s := &State{Result: &Result{Agreed: Agreed{Suite: suite.ByID(test.suite)}}}
		err := acceptEtM(s, nil)
		var fault *Error
		if errors.As(err, &fault) != (test.alert != 0) || fault != nil && fault.Alert != test.alert || s.Result.EncryptThenMAC != test.on {
			t.Errorf("%v: %v, %v", test.suite, s.Result.EncryptThenMAC, err)
		}
	}
}
