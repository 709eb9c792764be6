package interop

import (
	"os"
	"path"
	"regexp"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// unproved are the rows that no peer can do when we are the client or the
// server, by patterns of path.Match over their names, and why. Package tls's
// tests connect our client to our server with every suite in every version.
var unproved = map[wire.Role]map[string]string{
	wire.Client: {
		"tls1.2,ECDHE_PSK_WITH_AES_*CM*,*": noRFC8442,
		"tls1.[01],DH_anon_WITH_DES_*":     onlyNSSDES,
		"ssl3.0,DH_anon_*":                 onlyNSSAnon,
		"ssl3.0,DHE_*,dh:*":                onlyNSSDH,
		"ssl3.0,*renegotiate:*,unsafe":     onlyNSSSafe,
		"ssl3.0,*renegotiate:theirs*":      "only NSS has SSL 3.0, and selfserv renegotiates only where it asks for a certificate, of which it keeps no session",
		"ssl3.0,DHE_DSS_*,resume:id":       "only NSS has SSL 3.0, and selfserv resumes no session of a DSA key",
		"tls1.[012],RSA_WITH_RC4_*,max-*":  onlyGnuTLSRC4,
		"*,require:dsa":                    ourDSA,
		"*,later:dsa":                      ourDSA,
		"tls1.3,*,cookie":                  "no peer's server sends a cookie",
	},
	wire.Server: {
		"tls1.2,ECDHE_PSK_WITH_AES_*CM*,*": noRFC8442,
		"tls1.*,*DHE_PSK_WITH_3DES_*":      onlyGnuTLSPSK,
		"tls1.*,*DHE_PSK_WITH_RC4_*":       onlyGnuTLSPSK,
		"tls1.[01],DH_anon_WITH_DES_*":     onlyNSSDES,
		"ssl3.0,DH_anon_*":                 onlyNSSAnon,
		"ssl3.0,DHE_*,dh:*":                onlyNSSDH,
		"ssl3.0,*renegotiate:*,unsafe":     onlyNSSSafe,
		"ssl3.0,*renegotiate:theirs*":      "only NSS has SSL 3.0, and tstclnt renegotiates on its first connection only",
		"ssl3.0,RSA_WITH_NULL_*,resume:id": "only NSS has SSL 3.0, and tstclnt cannot enable a suite and resume",
		"tls1.[012],RSA_WITH_RC4_*,max-*":  onlyGnuTLSRC4,
		"*,grease":                         "GREASE is our client's",
	},
}

const (
	noRFC8442     = "no peer has RFC 8442's suites"
	onlyNSSDES    = "only NSS has single DES, and no anonymous suites"
	onlyNSSAnon   = "only NSS has SSL 3.0, and no anonymous suites"
	onlyNSSDH     = "only NSS has SSL 3.0, and RFC 7919's groups only"
	onlyNSSSafe   = "only NSS has SSL 3.0, and no switch to leave RFC 5746 out"
	onlyGnuTLSRC4 = "OpenSSL, which can agree on shorter records, is built without RC4"
	onlyGnuTLSPSK = "only GnuTLS has these suites, and gnutls-cli crashes after the handshake"
	ourDSA        = "our client does not sign with DSA"
)

// TestEveryRow wants each row to be proved by a peer in each role, or to stand
// in the table of reasons, and no reason without need.
func TestEveryRow(t *testing.T) {
	programs.SkipIfOff(t)
	for _, p := range peers {
		need(t, p.missing(), p.Package)
	}
	for ours, reasons := range unproved {
		used := map[string]bool{}
		for _, c := range rows() {
			if slices.ContainsFunc(peers, func(p *peer) bool { return p.cannot(ours, c) == "" }) {
				continue
			}
			var known bool
			for pattern := range reasons {
				if ok, _ := path.Match(pattern, c.String()); ok {
					used[pattern], known = true, true
				}
			}
			if !known {
				t.Errorf("with us as %s, no peer can do %s, and unproved does not say why", ours, c)
			}
		}
		for pattern := range reasons {
			if !used[pattern] {
				t.Errorf("with us as %s, there is no row left for %s", ours, pattern)
			}
		}
	}
}

// TestPeersAreInstalled wants .ci/run to bring every program that a peer needs.
func TestPeersAreInstalled(t *testing.T) {
	script, err := os.ReadFile("../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		for _, program := range p.Programs {
			if !regexp.MustCompile(`\s` + program + `=\S`).Match(script) {
				t.Errorf("%s needs %s, which .ci/run does not install", p.Name, program)
			}
		}
	}
}
