package scan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// versions are the parts that ask for each version, with its suites.
func (x *audit) versions() []func(context.Context) {
	parts := []func(context.Context){x.ssl2}
	x.r.Versions = make([]VersionReport, len(versions)+1)
	x.r.Versions[len(versions)] = VersionReport{Version: wire.SSL20.String()}
	for i, v := range versions {
		parts = append(parts, func(ctx context.Context) { x.version(ctx, v, &x.r.Versions[i]) })
	}
	return parts
}

func (x *audit) ssl2(ctx context.Context) {
	a := x.do(ctx, Probe{Name: "SSL 2.0", Hello: OfferSSL2(), idle: true})
	if a == nil {
		return
	}
	into := &x.r.Versions[len(versions)]
	into.Answer = answerOf(a)
	if a.SSL2 == nil {
		return
	}
	into.Offered, into.Answer = true, ""
	for _, s := range a.SSL2.Suites {
		into.Suites = append(into.Suites, SuiteReport{ID: fmt.Sprintf("0x%06x", uint32(s)), Name: s.String(), Bits: 40, Flaws: []string{"SSL 2.0"}})
	}
	x.found("ssl2", a, "it answers a CLIENT-HELLO of SSL 2.0 with a SERVER-HELLO: "+hexOf(a.Received()))
}

// version finds the suites of a version: the server picks one of all, which is offered no
// more, and so on until it takes none of those left.
func (x *audit) version(ctx context.Context, v wire.Version, into *VersionReport) {
	into.Version = v.String()
	var taken []wire.CipherSuite
	left := [][]wire.CipherSuite{everySuite(v)}
	line := x.line()
	defer line.end()
	for len(left) > 0 {
		offer := left[0]
		a := line.do(ctx, Probe{Name: fmt.Sprintf("%v with %d suites", v, len(offer)), Hello: offerWide(v, offer), idle: len(taken) == 0})
		if a == nil {
			return
		}
		if a.End == Reached && a.Version == v && slices.Contains(offer, a.Suite) {
			taken = append(taken, a.Suite)
			x.pick(a, v.String(), SuiteName(a.Suite))
			if strings.Contains(SuiteName(a.Suite), "_CBC_") {
				x.pick(a, v.String()+" with CBC")
			}
			left[0] = without(offer, a.Suite)
			if len(left[0]) == 0 {
				left = left[1:]
			}
			continue
		}
		if into.Answer == "" {
			into.Answer = answerOf(a)
		}
		left = left[1:]
		// A server that hangs up at a long hello may take a short one.
		if a.End != Alerted && a.End != Reached && a.End.Connected() && len(offer) > shortOffer {
			left = append(left, chunked(offer, shortOffer)...)
		}
	}
	if len(taken) == 0 {
		return
	}
	into.Offered, into.Answer = true, ""
	into.Order = x.order(ctx, line, v, taken)
	for _, id := range taken {
		name := SuiteName(id)
		into.Suites = append(into.Suites, SuiteReport{ID: number(id), Name: name, Bits: bitsOf(id), Flaws: flawsOf(name),
			ForwardSecret: forwardSecret(name)})
	}
	x.mu.Lock()
	x.suites[v] = taken
	x.mu.Unlock()
}

// shortOffer is how many suites every server can bear.
const shortOffer = 60

func chunked(ids []wire.CipherSuite, n int) (all [][]wire.CipherSuite) {
	for c := range slices.Chunk(ids, n) {
		all = append(all, c)
	}
	return all
}

func without(ids []wire.CipherSuite, id wire.CipherSuite) []wire.CipherSuite {
	return slices.DeleteFunc(slices.Clone(ids), func(x wire.CipherSuite) bool { return x == id })
}

// offerWide offers suites with every group, and in TLS 1.3 with a share in none: which
// costs no computing on our side.
func offerWide(v wire.Version, suites []wire.CipherSuite) Hello {
	h := Offer(v, suites...)
	h.Shares = nil
	if !h.Bare {
		h.Groups = everyGroup(v >= wire.TLS13)
	}
	return h
}

// order finds whose order counts: of suites offered in the opposite order, a server with
// an order of its own picks the same first.
func (x *audit) order(ctx context.Context, line *line, v wire.Version, taken []wire.CipherSuite) string {
	if len(taken) < 2 {
		return ""
	}
	reversed := slices.Clone(taken)
	slices.Reverse(reversed)
	a := line.do(ctx, Probe{Name: "the order of suites", Hello: offerWide(v, reversed)})
	if a != nil && a.End == Reached {
		x.pick(a, "the order of "+v.String())
	}
	switch {
	case a == nil || a.End != Reached:
		return ""
	case a.Suite == taken[0]:
		return "server"
	case a.Suite != reversed[0]:
		return inPart
	case !chacha(a.Suite):
		return "client"
	}
	// A client with ChaCha20 first seems to have no AES in its processor, which some
	// servers heed that have an order of their own otherwise.
	slices.SortStableFunc(reversed, func(a, b wire.CipherSuite) int { return rank(a) - rank(b) })
	a = line.do(ctx, Probe{Name: "the order of suites without ChaCha20", Hello: offerWide(v, reversed)})
	switch {
	case a == nil || a.End != Reached:
		return ""
	case a.Suite == reversed[0]:
		return "client"
	}
	return inPart
}

// inPart is the order of a server that heeds the client in part.
const inPart = "server, in part"

func chacha(id wire.CipherSuite) bool { return strings.Contains(SuiteName(id), "CHACHA20") }

func rank(id wire.CipherSuite) int {
	if chacha(id) {
		return 1
	}
	return 0
}

// gatherVersions puts what was found together, and judges it.
func (x *audit) gatherVersions() {
	for _, v := range versions {
		if x.speaks(v) {
			x.spoken = append(x.spoken, v)
		}
	}
}

// answerOf says in a few words how a hello was turned down.
func answerOf(a *Answer) string {
	code, alerted := a.Alert()
	switch {
	case alerted:
		return "alert " + code.String()
	case a.End == Reached && a.Version != 0:
		return "it picks " + a.Version.String()
	}
	return string(a.End)
}

// hexOf shows bytes, the first of many.
func hexOf(b []byte) string {
	const most = 48
	if len(b) > most {
		return fmt.Sprintf("%x… (%d bytes)", b[:most], len(b))
	}
	return fmt.Sprintf("%x", b)
}
