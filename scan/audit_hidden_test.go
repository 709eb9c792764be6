package scan

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// A server that takes nothing of what clients of today offer shows its certificate all the
// same, and its sessions are taken again where the connection that they came by has ended
// as it should.
func TestScanOfWhatNoClientOfTodayTakes(t *testing.T) {
	programs.Need(t, "openssl", "openssl")
	rsa := certificate(t, devca.RSA)
	t.Run("curves", func(t *testing.T) {
		r := audited(t, opensslServer(t, rsa, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "-curves", "brainpoolP384r1"), Options{ConfigurationOnly: true})
		if len(r.Chains) != 1 || !r.Chains[0].Trusted || len(r.Schemes) == 0 {
			t.Errorf("chains %+v, schemes %+v", r.Chains, r.Schemes)
		}
	})
	t.Run("suites", func(t *testing.T) {
		r := audited(t, opensslServer(t, rsa, "-tls1_2", "-cipher", "AES128-SHA", "-alpn", "http/1.1"), Options{ConfigurationOnly: true})
		if !slices.Equal(r.Protocols, []string{"http/1.1"}) {
			t.Errorf("protocols %v", r.Protocols)
		}
		for name, want := range map[string]string{"without a name": "", "unknown values": "passed over", "session IDs": "yes; taken again"} {
			if got := r.Feature(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}
