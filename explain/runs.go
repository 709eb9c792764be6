package explain

import "github.com/vitrine-tls/vitrine/wire"

// show is what the account says of hs.
func (hs *handshake) show(complete bool) *Handshake {
	x := &Handshake{Kind: "full", Complete: complete, Messages: []string{}}
	for _, m := range hs.transcript.msgs[hs.transcript.Taken:] {
		x.Messages = append(x.Messages, m.Name)
	}
	x.ServerCertificate, x.ClientCertificate = hs.shows(wire.Server), hs.shows(wire.Client)
	resumed := complete && hs.version < wire.TLS13 && !hs.exchanged()
	switch {
	case hs.late:
		x.Kind, x.Story = "client authentication", storyLate
		return x
	case hs.answer == nil && hs.account.misses(ofHandshake):
		x.Story = storyNotKept
	case hs.answer == nil && hs.torn:
		x.Story = storyNotCaptured
	case hs.answer == nil:
		x.Story = storyUnsettled
	case hs.version >= wire.TLS13:
		x.Story = story13
		if hs.answer.Extensions.Has(wire.ExtPreSharedKey) {
			was := x.Kind
			x.Kind, x.Story = "resumption", story13+storyPSK13
			if _, is := hs.external(); is {
				x.Kind, x.Story = was, storyExternal13
			}
			if !hs.answer.Extensions.Has(wire.ExtKeyShare) {
				x.Story = storyAlone13
			}
		}
	case resumed:
		x.Kind, x.Story = "resumption", storyResumed
	default:
		x.KeyExchange, x.Story = hs.exchange.String(), stories[hs.exchange]
	}
	if hs.before != nil {
		x.Kind = "renegotiation"
	}
	if hs.answer != nil {
		x.Version, x.CipherSuite = hs.version.String(), hs.answer.CipherSuite.String()
	}
	return x
}

// Sentence is the kind of key exchange and its story. A story that last had, the
// handshake before or nil, is not told again.
func (x *Handshake) Sentence(last *Handshake) string {
	text := x.Story
	if x.KeyExchange != "" {
		text = x.KeyExchange + ": " + text
	}
	switch {
	case x.Kind == "renegotiation" && last != nil && last.KeyExchange == x.KeyExchange:
		text = x.Kind + ": " + x.KeyExchange + " again, with fresh keys"
	case x.Kind == "renegotiation" || x.Kind == "client authentication":
		text = x.Kind + ": " + text
	}
	return text
}
