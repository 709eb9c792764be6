package lab

import (
	"cmp"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/wire"
)

// A defence is what stopped a deviation, and what would have come of it otherwise.
type defence struct {
	alert   string // that went out; empty for any
	rule    string // a part of the rule; empty for any
	kinds   string // of the deviation, divided by blanks; empty for any
	message string // at which it was noticed; empty for any
	clear   bool   // what was touched went over the wire in the clear
	ref     string // where the rule stands, if it does not say so itself
	name    string
	without string
}

// defences are looked through in their order: the first that fits counts.
var defences = []defence{
	{alert: "inappropriate_fallback", name: "the mark of a retry (TLS_FALLBACK_SCSV)",
		without: "The server would have taken the lower version for the best that the client has. An attacker that breaks a first try, by nothing more than a cut, would have chosen the version."},
	{rule: "could do better", name: "the mark in the server's random",
		without: "Both sides would have gone on with a version below the best of both. The attacker would have picked one that it can break."},
	{kinds: "lower-version strip-suite offer-suites strip-extension", alert: "decrypt_error", name: "the signature or the Finished over the hellos as each side saw them",
		without: "Client and server would have agreed on what the attacker left of the offer, and neither would have known that there was more."},
	{kinds: "lower-version strip-suite offer-suites strip-extension", alert: "bad_record_mac", name: "keys that depend on the hellos as each side saw them",
		without: "Client and server would have agreed on what the attacker left of the offer, and neither would have known that there was more."},
	{kinds: "lower-version offer-suites strip-suite", alert: "handshake_failure", name: "a server that has nothing weak to offer",
		without: "The server would have agreed to a suite that can be broken while the user waits, as servers did at the time of FREAK and Logjam."},
	{kinds: "lower-version", alert: "protocol_version", name: "a lowest version",
		without: "The server would have agreed to a version for which attacks are known, like SSL 3.0 with POODLE."},
	{kinds: "answer-suite", name: "a client that takes only what it has offered",
		without: "The client would have used a suite that it never offered, as clients did in FREAK: keys of 512 bits, broken within hours."},
	{kinds: "swap-certificate", alert: "unknown_ca", ref: "RFC 5280 §6.1", name: "a chain that must end in an authority that the client trusts",
		without: "The client would have shown its passwords and cookies to the attacker, which would have sent them on to the server and read everything."},
	{alert: "unknown_ca", ref: "RFC 5280 §6.1", name: "a chain that must end in an authority that the client trusts",
		without: "Anybody can make a certificate for any name. The client would have talked to the attacker as if it were the server."},
	{alert: "bad_certificate", ref: "RFC 5280 §6.1", name: "the certificate's own checks",
		without: "The client would have taken a certificate that is not what its authority signed, or is for another name."},
	{kinds: "replay-session", name: "the server's own random, which is in every key and every Finished",
		without: "The server would have done again what the client had asked for once: a payment, say, would have been made twice."},
	{kinds: "replay duplicate", alert: "bad_record_mac", name: "the number of each record, which its MAC or tag covers",
		without: "The receiver would have been given the same data twice, as if the sender had said it twice."},
	{kinds: "reorder drop", alert: "bad_record_mac", name: "the number of each record, which its MAC or tag covers",
		without: "The receiver would have been given the data in another order, or with a hole in it."},
	{rule: "close_notify", name: "close_notify, and an end of the stream that is not taken for the end of the data",
		without: "The receiver would have taken a part for the whole: half of a file, or an order without its last line."},
	{kinds: "truncate end", name: "an end of the stream that is not taken for the end of the handshake or the data",
		without: "The receiver would have taken a part for the whole: half of a file, or an order without its last line."},
	{kinds: "flip replace", clear: true, alert: "bad_record_mac", name: "keys that depend on every byte of the hellos",
		without: "The two sides would have gone on with different ideas of what was said, and whatever the attacker changed would have stood."},
	{alert: "bad_record_mac", name: "the MAC or tag of each record",
		without: "The receiver would have been given what the attacker made of the data. With a stream or counter cipher every flipped bit flips exactly one bit of what was said."},
	{kinds: "flip replace", alert: "decrypt_error", message: "ServerKeyExchange", name: "the server's signature over both randoms and its key share",
		without: "The attacker could have put in a key share of its own, and would have had both keys."},
	{alert: "decrypt_error", message: "CertificateVerify", name: "the signature over all messages so far",
		without: "Somebody without the certificate's key could have posed as its owner."},
	{alert: "decrypt_error", message: "Finished", name: "Finished, which covers every message of the handshake",
		without: "The two sides would have gone on with different ideas of what was said, and whatever the attacker changed would have stood."},
	{kinds: "inject", alert: "unexpected_message", name: "a table of what may come next",
		without: "Implementations that took messages out of their order have skipped authentication or used keys that the attacker knew (SMACK, early change_cipher_spec)."},
	{alert: "unexpected_message", name: "a table of what may come next",
		without: "Implementations that took messages out of their order have skipped authentication or used keys that the attacker knew (SMACK, early change_cipher_spec)."},
	{alert: "decode_error", name: "parsers that read each field to its end and nothing beyond",
		without: "A parser that trusts a length reads memory that is not the message: that was Heartbleed."},
	{alert: "illegal_parameter", name: "a side that takes only what it has offered and what makes sense",
		without: "The attacker would have chosen a value for both sides, and picked one that it can break."},
	{alert: "record_overflow", name: "a bound on the length of a record",
		without: "A peer could have made the receiver keep as much memory as it likes."},
	{rule: "no version in common", name: "a side that takes no version that it does not have",
		without: "The two would have gone on with a version that one of them does not speak, or has switched off because it is broken."},
	{alert: "protocol_version", name: "a header that must name the version that was agreed on",
		without: "Somebody could have passed records of another version off as those of this connection."},
	{alert: "insufficient_security", name: "a floor under what is strong enough",
		without: "The connection would have used keys that can be broken, as in Logjam."},
}

// explain says of a finding what the defence was, where that is known.
func (r *Result) explain(f *Finding) {
	if f.Outcome != Refused && f.Outcome != Cut && f.Outcome != Failed {
		return
	}
	kind := ""
	if r.Deviation != nil {
		kind = r.Deviation.Kind
	}
	touched := r.touched()
	clear := touched != nil && touched.Epoch == 0
	for _, d := range defences {
		fits := (d.alert == "" || d.alert == f.Alert) && (d.rule == "" || strings.Contains(f.Rule, d.rule)) &&
			(d.message == "" || d.message == f.Message) && (!d.clear || clear) && (d.kinds == "" || kind != "" && strings.Contains(" "+d.kinds+" ", " "+kind+" "))
		if fits {
			f.Defence, f.Without, f.Ref = d.name, d.without, cmp.Or(f.Ref, d.ref)
			return
		}
	}
}

// touched is the record that was touched on the wire, in its sender's account; nil where
// there is none.
func (r *Result) touched() *explain.Record {
	d := r.Deviation
	if d == nil || d.Inside || d.At == 0 {
		return nil
	}
	c, n := r.Client, 0
	if d.From == r.Server.Side {
		c = r.Server
	}
	for _, e := range c.Events {
		if e.Record != nil && e.Record.From == d.From {
			if n++; n == d.At {
				return e.Record
			}
		}
	}
	return nil
}

// remark says why nobody noticed, where that is known.
func (r *Result) remark() string {
	d, x := r.Deviation, r.touched()
	switch {
	case d.Mend:
		return " So it is with an attacker that has all keys, the certificates' too: it can say anything."
	case d.Inside:
		return " So it is with an attacker that has the keys of the records: it can say anything."
	case x != nil && x.Type == wire.ContentChangeCipherSpec.String() && r.Client.Summary.Version == wire.TLS13.String():
		return " In TLS 1.3 change_cipher_spec means nothing: it is there so that old devices on the path see what they know (RFC 8446 §D.4)."
	case x != nil && x.Type == wire.ContentAlert.String():
		return " The end of the data had been told already."
	}
	return ""
}
