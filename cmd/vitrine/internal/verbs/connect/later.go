package connect

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// helloRequests tells whether the server has asked to renegotiate.
type helloRequests struct{ seen atomic.Bool }

// watch adds to what hooks do.
func (h *helloRequests) watch(hooks *trace.Hooks) {
	before := hooks.Message
	hooks.Message = func(m trace.Message) {
		if m.Dir == trace.Received && len(m.Raw) > 0 && wire.HandshakeType(m.Raw[0]) == wire.TypeHelloRequest {
			h.seen.Store(true)
		}
		before(m)
	}
}

// declined reports that the server asked to renegotiate, and the flags said no.
func (o *options) declined() bool { return o.asked.seen.Load() && o.tls.Renegotiate == "" }

// blameDeclined says in a failure after the handshake that we declined to
// renegotiate: that was why, and the alert does not say it.
func (o *options) blameDeclined(f *report.Failure) {
	if !o.declined() {
		return
	}
	f.Ours, f.Theirs = nil, nil
	f.Advice = "the server asked to renegotiate, and we declined; agree with --renegotiate server, and give the certificate that it may want with --cert and --key"
}

// writeLater says what a handshake inside the connection came to, of which the
// summary could not know yet.
func (o *options) writeLater(w io.Writer, before, now tls.State) {
	p := terminal.PaletteFor(w)
	line := func(name, value string) { fmt.Fprintf(w, "  %s %s\n", p.Faint(fmt.Sprintf("%-11s", name)), value) }
	switch {
	case now.Renegotiations > before.Renegotiations:
		line("handshakes", fmt.Sprintf("the server renegotiated: %s, %s", now.Version, now.CipherSuite))
	case o.mayFollow(now) && !happened(before, now):
		line("handshakes", "one: the server began no other")
	}
	if now.ClientAuthRequested && !before.ClientAuthRequested {
		o.clientCertificate.later = false
		line("our own", "certificate "+o.clientCertificate.String()+", after the handshake")
	}
}
