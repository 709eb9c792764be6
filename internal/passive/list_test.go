package passive

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Listener without hooks says what a connection is, and sees as many bytes and records
// as one with hooks.
func TestListing(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := newEnds(t, devca.ECDSA)
		p.client.MaxVersion, p.client.NextProtos, p.server.NextProtos = version, []string{"h2"}, []string{"h2"}
		h := p.connect(t)
		l := New(nil, nil, nil)
		h.play(l)
		s := l.Summary()
		if s.ServerName != "localhost" || s.Version != wire.Version(version) || s.Suite == 0 || len(s.ClientHello) == 0 || len(s.ServerHello) == 0 {
			t.Errorf("%+v", s)
		}
		if (s.ALPN == "h2") != (version == tls.VersionTLS12) { // in TLS 1.3 it is encrypted
			t.Errorf("ALPN %q", s.ALPN)
		}
		_, full := h.listen(nil, nil)
		if s.Client != full.Client || s.Server != full.Server || s.Client.Records == 0 {
			t.Errorf("listing: %+v %+v; with hooks: %+v %+v", s.Client, s.Server, full.Client, full.Server)
		}
	}
}
