package scan

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// distinguished is an authority's name for people.
func distinguished(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return hexOf(der)
	}
	return sequence.String()
}

// alpn are the protocols that are asked for.
var alpn = []string{"h2", "http/1.1", "http/1.0", "http/0.9", "h2c", "grpc-exp", "dot", "acme-tls/1", "xmpp-client", "xmpp-server", "imap", "pop3", "managesieve",
	"ftp", "postgresql", "mqtt", "irc", "ntske/1", "stun.turn", "coap", "smb"}

// protocols finds those of ALPN, best first.
func (x *audit) protocols(ctx context.Context) {
	left := slices.Clone(alpn)
	line := x.line()
	defer line.end()
	for len(left) > 0 {
		h := x.modern()
		h.ALPN = left
		if x.at.StartTLS != "" {
			return
		}
		a := line.do(ctx, Probe{Name: "ALPN", Hello: h, Until: Flight})
		if a == nil || !slices.Contains(left, a.ALPN) {
			return
		}
		x.mu.Lock()
		x.r.Protocols = append(x.r.Protocols, a.ALPN)
		x.mu.Unlock()
		left = slices.DeleteFunc(slices.Clone(left), func(p string) bool { return p == a.ALPN })
	}
}

// compression looks for DEFLATE up to TLS 1.2.
func (x *audit) compression(ctx context.Context) {
	v := x.best12()
	if v == 0 {
		return
	}
	h := x.offer(v, x.suites[v]...)
	h.Compressions = []wire.CompressionMethod{wire.CompressionDeflate, wire.CompressionNull}
	a := x.do(ctx, Probe{Name: "compression", Hello: h})
	if a == nil || a.Server == nil {
		return
	}
	if a.Server.CompressionMethod == wire.CompressionNull {
		x.set("TLS compression", "no")
		return
	}
	x.set("TLS compression", a.Server.CompressionMethod.String())
	x.found("compression", a, "offered DEFLATE and none, the ServerHello picks "+a.Server.CompressionMethod.String())
}

// encryptThenMAC looks for RFC 7366, which only CBC heeds.
func (x *audit) encryptThenMAC(ctx context.Context) {
	v := x.best12()
	suites := x.with(v, func(name string) bool { return strings.Contains(name, "_CBC_") })
	if len(suites) == 0 || v == wire.SSL30 {
		return
	}
	h := x.offer(v, suites...)
	h.Ask = append(h.Ask, wire.ExtEncryptThenMAC)
	if a := x.do(ctx, Probe{Name: "encrypt-then-MAC", Hello: h}); a != nil && a.Has(wire.ExtEncryptThenMAC) {
		x.mu.Lock()
		x.encryptsFirst = true
		x.mu.Unlock()
		x.extensions(a)
	}
}

// sentinels are the ends of a server's random by which it says that it could do better.
// RFC 8446 §4.1.3.
const sentinel12, sentinel11 = "DOWNGRD\x01", "DOWNGRD\x00"

// fallback looks for what protects from being talked down: TLS_FALLBACK_SCSV, and the
// mark in the random.
func (x *audit) fallback(ctx context.Context) {
	if len(x.spoken) < 2 {
		return
	}
	older := x.spoken[1]
	h := x.offer(older, x.suites[older]...)
	plain := x.do(ctx, Probe{Name: "an older version", Hello: h})
	h.Suites = append(slices.Clone(h.Suites), wire.TLS_FALLBACK_SCSV)
	a := x.do(ctx, Probe{Name: "TLS_FALLBACK_SCSV", Hello: h})
	if a == nil || plain == nil || plain.Server == nil {
		return
	}
	code, alerted := a.Alert()
	switch {
	case alerted && code == wire.AlertInappropriateFallback:
		x.set("TLS_FALLBACK_SCSV", "heeded")
	case a.End == Reached:
		x.set("TLS_FALLBACK_SCSV", "not heeded")
		x.found("no-fallback-scsv", a, fmt.Sprintf("it takes %v with TLS_FALLBACK_SCSV, though it speaks %v", older, x.spoken[0]))
	case unanswered(a):
		x.set("TLS_FALLBACK_SCSV", notAnswered)
	default:
		x.set("TLS_FALLBACK_SCSV", answerOf(a))
	}
	if x.spoken[0] < wire.TLS13 {
		return
	}
	end := string(plain.Server.Random[24:])
	if end == sentinel12 || end == sentinel11 {
		x.set("downgrade sentinel", "yes")
		return
	}
	x.set("downgrade sentinel", "no")
	x.found("no-sentinel", plain, fmt.Sprintf("the random of its ServerHello of %v ends in %x", older, end))
}

// tolerance sends values that are reserved for being unknown, which a server passes over.
// RFC 8701.
func (x *audit) tolerance(ctx context.Context) {
	if len(x.spoken) == 0 || x.spoken[0] == wire.SSL30 {
		return
	}
	plain := x.modern()
	h := x.modern()
	h.Suites = append([]wire.CipherSuite{0x3a3a}, h.Suites...)
	h.Groups = append([]wire.NamedGroup{0x4a4a}, h.Groups...)
	h.Versions = append([]wire.Version{0x5a5a}, h.Versions...)
	h.Schemes = append([]wire.SignatureScheme{0x6a6a}, h.Schemes...)
	h.Extra = []wire.Extension{{Type: 0x7a7a}, {Type: 0x8a8a, Data: []byte{0}}}
	h.Length = 2000
	a := x.do(ctx, Probe{Name: "values that nobody knows", Hello: h, Until: Flight, idle: true})
	switch {
	case a == nil:
	case a.End == Reached:
		x.set("unknown values", "passed over")
	case !a.End.Connected(): // there was no hello to break at
		x.set("unknown values", notAnswered)
	default: // what fails without such values too is no matter of theirs
		control := x.do(ctx, Probe{Name: "the same without values that nobody knows", Hello: plain, Until: Flight, idle: true})
		switch {
		case control == nil:
		case control.End == Reached:
			x.set("unknown values", answerOf(a))
			x.found("tls13-intolerant", a, "a hello of 2,000 bytes with reserved values (GREASE): "+answerOf(a))
		case !control.End.Connected(), unanswered(control):
			x.set("unknown values", notAnswered)
		}
	}
}

// renegotiation asks for one, safely.
func (x *audit) renegotiation(ctx context.Context) {
	v := x.best12()
	suites := x.completable(v)
	if len(suites) == 0 {
		return
	}
	a := x.do(ctx, Probe{Name: "renegotiation", Hello: x.offer(v, suites...), Until: Complete, Then: []Step{renegotiate{}, Await{For: 2 * quiet, Done: answeredAgain}}})
	switch {
	case a == nil || !a.Done:
	case hellos(a) > 1:
		x.set("renegotiation by the client", "yes")
		x.found("reneg-client", a, "it answers a second ClientHello with a ServerHello")
	default:
		x.set("renegotiation by the client", "no")
	}
	if a != nil && a.Server != nil && v > wire.SSL30 {
		if a.Server.Extensions.Has(wire.ExtRenegotiationInfo) {
			x.set("secure renegotiation (RFC 5746)", "yes")
		} else {
			x.set("secure renegotiation (RFC 5746)", "no")
			x.found("reneg-unannounced", a, "its ServerHello has no renegotiation_info")
		}
	}
}

// unsafeRenegotiation asks for one as clients did before RFC 5746.
func (x *audit) unsafeRenegotiation(ctx context.Context) {
	v := x.best12()
	suites := x.completable(v)
	if len(suites) == 0 {
		return
	}
	h := x.offer(v, suites...)
	h.Without = []wire.ExtensionType{wire.ExtRenegotiationInfo}
	h.Suites = without(h.Suites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
	a := x.do(ctx, Probe{Name: "renegotiation as before RFC 5746", Hello: h, Until: Complete, Then: []Step{renegotiate{unsafe: true}, Await{For: 2 * quiet, Done: answeredAgain}}})
	if a != nil && hellos(a) > 1 {
		x.found("reneg-insecure", a, "it answers a second ClientHello without renegotiation_info with a ServerHello")
	}
}

// hellos counts those of the server.
func hellos(a *Answer) (n int) {
	for _, m := range a.Messages {
		if m.Type == wire.TypeServerHello {
			n++
		}
	}
	return n
}

// answeredAgain reports that a second ServerHello came, or a refusal.
func answeredAgain(a *Answer) bool { return hellos(a) > 1 || len(a.Alerts) > 0 }

// notHTTP are ports on which something else is spoken.
var notHTTP = []string{"465", "563", "636", "853", "989", "990", "993", "994", "995", "5061", "5671", "6697", "8883", "5432", "3306", "3389"}

func (x *audit) speaksHTTP() bool {
	return x.at.StartTLS == "" && !slices.Contains(notHTTP, x.port())
}
