package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/tls"
)

// words are an error for people.
type words struct {
	failure      string
	ours, theirs string // what each side offered, where that decided
	advice       string
}

// wordsFor puts an error into words. The text of a peer is quoted in it already.
func wordsFor(err error) words {
	h, is := errors.AsType[*tls.HandshakeError](err)
	if !is {
		if e, is := errors.AsType[tls.RecordHeaderError](err); is {
			text := strings.TrimPrefix(strings.TrimPrefix(e.Error(), "tls: "), "first record does not look like a TLS handshake: ")
			if i := strings.LastIndex(text, "; "); i > 0 {
				return words{failure: text[:i], advice: text[i+2:]}
			}
			return words{failure: text}
		}
		return words{failure: plain(err)}
	}
	w := words{failure: h.Rule, advice: inSettings(h.Hint)}
	if h.Err != nil && !h.Received && !isTimeout(h.Err) {
		w.failure += ": " + plain(h.Err)
	}
	if h.Ref != "" && !h.Received {
		w.failure += " (" + h.Ref + ")"
	}
	if h.What != "" {
		w.ours, w.theirs = list(h.Ours), list(h.Theirs)
	}
	return w
}

// troubles are what goes wrong below TLS, in words.
var troubles = []struct {
	err error
	is  string
}{
	{syscall.ECONNREFUSED, "%s refused the connection: nothing listens there"},
	{syscall.ENETUNREACH, "no network leads to %s from here"},
	{syscall.EHOSTUNREACH, "%s cannot be reached"},
	{syscall.ECONNRESET, "the other side closed the connection by force"},
	{syscall.EPIPE, "the other side closed the connection by force"},
	{syscall.EMFILE, "this process has as many files and connections open as it may; raise LimitNOFILE"},
	{syscall.ENFILE, "this machine has as many files and connections open as it may"},
	{syscall.ENOSPC, "the disk is full"},
	{context.DeadlineExceeded, "no answer came in time"},
}

// plain is an error of the network, or any other, without the words of Go.
func plain(err error) string {
	where := "the address"
	op, isOp := errors.AsType[*net.OpError](err)
	if isOp && op.Addr != nil {
		where = op.Addr.String()
	}
	for _, t := range troubles {
		if errors.Is(err, t.err) {
			return strings.Replace(t.is, "%s", where, 1)
		}
	}
	switch {
	case isTimeout(err):
		return "no answer came in time"
	case isOp:
		return fmt.Sprintf("the network fails: %v", op.Err)
	}
	return strings.TrimPrefix(err.Error(), "tls: ")
}

func isTimeout(err error) bool {
	e, is := errors.AsType[net.Error](err)
	return is && e.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// mostOffers is how many values of an offer are logged.
const mostOffers = 24

func list(offer []string) string {
	if len(offer) > mostOffers {
		return fmt.Sprintf("%s and %d more", strings.Join(offer[:mostOffers], ", "), len(offer)-mostOffers)
	}
	return strings.Join(offer, ", ")
}

// settings are what the library's hints call what a configuration sets. Longer names stand
// before those that they hold.
var settings = strings.NewReplacer(
	"CipherSuites and CurvePreferences", "suites and groups",
	"MinVersion and MaxVersion", "min and max",
	"CipherSuites", "suites", "CurvePreferences", "groups", "(MaxVersion)", "(max)",
	"in SignatureSchemes", "in sigalgs",
	"set Certificates or GetCertificate", "set certificates",
	"set Certificates or GetClientCertificate", "set cert and key",
	"protocols in NextProtos", "protocols in alpn", "to NextProtos", "to alpn",
	"with PSK.Server", "in psk-file", "with PSK.Client", "in psk-file", "check PSK.Client", "check psk-file",
	"as a trusted root", "in client-ca", "give the roots to trust", "give the authorities to trust in client-ca",
	"set ServerName to", "set name to", "(ServerName)", "(name)",
	"; see Config.HandshakeTimeout", "; see limits.handshake-timeout", "see Config.HandshakeTimeout", "see limits.handshake-timeout",
)

var (
	legacySwitch = regexp.MustCompile(`\b(set )?Legacy\.(\w+)`)
	wordStart    = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)
)

// inSettings puts a hint of the library into the words of a configuration.
func inSettings(hint string) string {
	return legacySwitch.ReplaceAllStringFunc(settings.Replace(hint), func(s string) string {
		before, field, _ := strings.Cut(s, "Legacy.")
		word := strings.ToLower(wordStart.ReplaceAllString(field, "$1$3-$2$4"))
		return strings.Replace(before, "set", "add", 1) + word + " to legacy"
	})
}
