package handshake

import (
	"net/netip"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// server_name, RFC 6066 §3

// MaxHostName is the longest name that DNS can carry. RFC 1035 §2.3.4.
const MaxHostName = 255

func offerServerName(s *State, b []byte) ([]byte, bool) {
	if s.Config.ServerName == "" {
		return b, false
	}
	return wire.AppendServerName(b, s.Config.ServerName), true
}

func readServerName(o *Offer, r *wire.Reader) { o.ServerName = wire.ReadServerName(r) }

// checkServerName judges the client's host_name before the application sees it: a
// stranger chose it, and applications look it up and log it. "" is no host_name.
func checkServerName(name string) error {
	rule := ""
	switch {
	case len(name) > MaxHostName:
		rule = "the client's host_name has more than 255 bytes"
	case name != "" && !IsHostName(name):
		rule = "the client's host_name " + quoted(name) + " is not a host name"
	default:
		return nil
	}
	return fault(wire.AlertIllegalParameter, rule, "RFC 6066 §3", nil)
}

// IsHostName takes what crypto/x509 takes for the name of a host, so underscores
// too, and without a final dot. Addresses do not belong here, but are common and harmless.
func IsHostName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || strings.ContainsFunc(label, notInHostName) {
			addr, err := netip.ParseAddr(name)
			return err == nil && addr.Zone() == ""
		}
	}
	return true
}

func notInHostName(r rune) bool {
	letter := 'a' <= r|0x20 && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
}

// A resumed session's name is not answered again, nor a list without a name that we
// know the type of.
func answerServerName(s *State, b []byte) ([]byte, bool) {
	return b, s.resumed == nil && s.Offer.ServerName != ""
}
