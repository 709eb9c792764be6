package connect

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// observed is what the trace of a connection tells.
type observed struct {
	collector    atomic.Pointer[explain.Collector] // of the latest connection
	helloRequest atomic.Bool                       // the server asked to renegotiate
	choice       atomic.Pointer[trace.Choice]      // the last on a client certificate
	early        atomic.Pointer[trace.Choice]      // the last on early data
	server       certs.Shown                       // what the server shows of itself
}

// notEarly says why early data was not sent, or not taken.
func (o *observed) notEarly() string {
	c := o.early.Load()
	if c == nil {
		return "the server does not speak TLS 1.3"
	}
	return c.Why
}

// watch adds to what hooks do.
func (o *observed) watch(hooks *trace.Hooks) {
	before := hooks.Message
	hooks.Message = func(m trace.Message) {
		if m.Dir == trace.Received && len(m.Raw) > 0 && wire.HandshakeType(m.Raw[0]) == wire.TypeHelloRequest {
			o.helloRequest.Store(true)
		}
		o.server.Message(m)
		before(m)
	}
	hooks.Choice = func(c trace.Choice) {
		if c.What == "client certificate" {
			o.choice.Store(&c)
		}
		if c.What == "early data" {
			o.early.Store(&c)
		}
	}
}

// clientCertificate says what became of ours.
type clientCertificate struct {
	given bool
	later bool // the server may yet ask
}

// outcome is empty where it is of no interest. choice is nil where the server has not
// asked.
func (c clientCertificate) outcome(choice *trace.Choice) string {
	misfit := report.Misfit(choice)
	switch asked := choice != nil; {
	case asked && choice.Picked == "" && c.given:
		return "asked for, and not sent: " + misfit
	case asked && choice.Picked == "":
		return "asked for, and not sent"
	case asked && misfit != "":
		return "sent, though " + misfit
	case asked:
		return "sent"
	case c.given && c.later:
		return "not asked for yet"
	case c.given:
		return "not asked for"
	}
	return ""
}

// declined reports that the server asked to renegotiate, and the flags said no.
func (o *options) declined() bool { return o.seen.helloRequest.Load() && o.tls.Renegotiate == "" }

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
		line("our own", terminal.Wrap("certificate, after the handshake: "+o.clientCertificate.outcome(o.seen.choice.Load()), 14, 14))
	}
}
