package lab

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// What somebody in the middle does is noticed by this side, at this message or record,
// with this alert.
func TestWhoNotices(t *testing.T) {
	const old = "TLS 1.2"
	for name, c := range map[string]struct {
		setup   string
		d       Deviation
		outcome string
		by      string
		alert   string
		message string // empty for a record that did not open
	}{
		"the server's random, TLS 1.2":        {old, Deviation{Kind: "flip", From: "server", At: 1, Byte: 12}, Refused, "client", "decrypt_error", "ServerKeyExchange"},
		"the server's random, TLS 1.3":        {"defaults", Deviation{Kind: "flip", From: "server", At: 1, Byte: 12}, Refused, "client", "bad_record_mac", ""},
		"the client's random, RSA":            {"RSA", Deviation{Kind: "flip", From: "client", At: 1, Byte: 12}, Refused, "server", "bad_record_mac", ""},
		"a protected record":                  {"defaults", Deviation{Kind: "flip", From: "client", At: 4, Byte: 20}, Refused, "server", "bad_record_mac", ""},
		"data, by one that has the keys":      {"defaults", Deviation{Kind: "flip", From: "client", At: 4, Byte: 5, Inside: true}, Changed, "", "", ""},
		"data once more":                      {"defaults", Deviation{Kind: "duplicate", From: "client", At: 4}, Refused, "server", "bad_record_mac", ""},
		"records in another order":            {"small records", Deviation{Kind: "reorder", From: "client", At: 5}, Refused, "server", "bad_record_mac", ""},
		"a record later":                      {"small records", Deviation{Kind: "replay", From: "client", At: 6}, Refused, "server", "bad_record_mac", ""},
		"a dropped hello":                     {"defaults", Deviation{Kind: "drop", From: "client", At: 1}, Waiting, "", "", ""},
		"a cut hello":                         {"defaults", Deviation{Kind: "truncate", From: "client", At: 1, Byte: 50}, Cut, "server", "", ""},
		"a stream that ends early":            {"defaults", Deviation{Kind: "end", From: "server", At: 5}, Cut, "client", "", ""},
		"a record of somebody":                {old, Deviation{Kind: "inject", From: "client", At: 2}, Refused, "server", "unexpected_message", ""},
		"a Finished with another bit":         {"defaults", Deviation{Kind: "flip", From: "client", At: 3, Byte: 9, Inside: true}, Refused, "server", "decrypt_error", "Finished"},
		"no key exchange, all mended":         {old, Deviation{Kind: "drop", From: "client", At: 2, Inside: true, Mend: true}, Refused, "server", "unexpected_message", ""},
		"a certificate for nobody":            {old, Deviation{Kind: "swap-certificate"}, Refused, "client", "unknown_ca", "Certificate"},
		"a certificate for nobody, TLS 1.3":   {"defaults", Deviation{Kind: "swap-certificate", Inside: true}, Refused, "client", "unknown_ca", "Certificate"},
		"TLS 1.3 taken away":                  {"defaults", Deviation{Kind: "lower-version", Text: old}, Refused, "client", "illegal_parameter", ""},
		"an old version that is off":          {"defaults", Deviation{Kind: "lower-version", Text: "TLS 1.1"}, Refused, "server", "protocol_version", "ClientHello"},
		"a suite taken away, TLS 1.2":         {old, Deviation{Kind: "strip-suite", Text: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, Refused, "", "", ""},
		"a suite that nobody would have used": {"defaults", Deviation{Kind: "strip-suite", Text: "TLS_AES_256_GCM_SHA384"}, Refused, "", "", ""},
		"export suites":                       {old, Deviation{Kind: "offer-suites", Text: "0003 0006"}, Refused, "server", "handshake_failure", "ClientHello"},
		"an export suite as the answer":       {old, Deviation{Kind: "answer-suite", Text: "0003"}, Refused, "client", "illegal_parameter", "ServerHello"},
		"an extension taken away":             {old, Deviation{Kind: "strip-extension", Text: "extended_master_secret"}, Refused, "", "", ""},
		"the whole session":                   {"defaults", Deviation{Kind: "replay-session"}, Refused, "server", "bad_record_mac", ""},
		"the whole session, RSA":              {"RSA", Deviation{Kind: "replay-session"}, Refused, "server", "bad_record_mac", ""},
		"a place that there is not":           {"defaults", Deviation{Kind: "flip", From: "client", At: 99, Byte: 1}, Absent, "", "", ""},
		"a byte that there is not":            {"defaults", Deviation{Kind: "flip", From: "client", At: 1, Byte: 60000}, Absent, "", "", ""},
		"change_cipher_spec of TLS 1.3":       {"defaults", Deviation{Kind: "drop", From: "client", At: 2}, Harmless, "", "", ""},
		"a SHA-1 MAC of SSL 3.0":              {"SSL 3.0", Deviation{Kind: "flip", From: "client", At: 5, Byte: 8}, Refused, "server", "bad_record_mac", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, setups[c.setup], &c.d)
			f := r.Finding
			if f.Outcome != c.outcome || c.by != "" && f.By != c.by || c.alert != "" && f.Alert != c.alert || c.by != "" && c.outcome == Refused && f.Message != c.message {
				t.Errorf("%+v", f)
			}
			if f.Outcome == Refused && (f.Without == "" || f.Defence == "" || f.Ref == "" || f.Rule == "" || f.Heard == "") || f.Text == "" {
				t.Errorf("the finding lacks something: %+v", f)
			}
		})
	}
}

// wires are kinds that can be done to every record.
var wires = []Deviation{{Kind: "flip", Byte: 7, Bit: 3}, {Kind: "drop"}, {Kind: "duplicate"}, {Kind: "replay"}, {Kind: "reorder"}, {Kind: "inject"},
	{Kind: "replace", Byte: 6, Text: "00ff00ff"}, {Kind: "truncate", Byte: 6}, {Kind: "end"}}

// Whatever is done on the wire to whichever record, no side is given data that its peer
// has not sent, no run hangs, and the finding is whole.
func TestOnTheWireNobodyIsFooled(t *testing.T) {
	names := []string{"defaults", "TLS 1.2", "small records", "TLS 1.0", "SSL 3.0", "PSK", "anonymous", "ticket", "renegotiation", "compression"}
	if programs.Brief() {
		names = names[:3]
	}
	for _, name := range names {
		for _, d := range wires {
			for _, d.From = range []string{"client", "server"} {
				for d.At = 1; d.At < 12; d.At++ {
					r := run(t, setups[name], &d)
					f := r.Finding
					if !slices.Contains([]string{Refused, Cut, Waiting, Harmless, Absent}, f.Outcome) {
						t.Errorf("%s, %s: %+v", name, r.Words, f)
					}
					if f.Outcome == Absent {
						break
					}
					for _, x := range []struct {
						got  []byte
						said string
					}{{r.ClientGot, r.setup.answer()}, {r.ServerGot, r.setup.request()}} {
						if !strings.HasPrefix(x.said, string(x.got)) {
							t.Errorf("%s, %s: %q was given, %q said", name, r.Words, x.got, x.said)
						}
					}
					if (f.Outcome == Refused || f.Outcome == Cut) && (f.By == "" || f.Rule == "") {
						t.Errorf("%s, %s: the finding lacks something: %+v", name, r.Words, f)
					}
				}
			}
		}
	}
}

// The byte that was changed is named where it is in the record at which it was noticed.
func TestTheByteIsNamed(t *testing.T) {
	for _, c := range []struct {
		d    Deviation
		want int
	}{
		{Deviation{Kind: "flip", From: "client", At: 4, Byte: 20}, 20},
		{Deviation{Kind: "flip", From: "client", At: 1, Byte: 12}, -1}, // noticed later
		{Deviation{Kind: "drop", From: "client", At: 3}, -1},
	} {
		r := run(t, Setup{}, &c.d)
		if r.Finding.Byte != c.want || c.want >= 0 && !strings.Contains(r.Finding.Text, "whose byte 20 had been changed") {
			t.Errorf("%s: %+v", r.Words, r.Finding)
		}
	}
}

// What makes no sense is an error that says so, and not a connection.
func TestNoSuchSetup(t *testing.T) {
	long := strings.Repeat("x", maxData+1)
	for want, s := range map[string]Setup{
		"not a version":                         {Min: "TLS 1.4"},
		"swap":                                  {Min: "TLS 1.3", Max: "TLS 1.2"},
		"not a cipher suite":                    {Suites: []string{"NO_SUCH"}},
		"not a group":                           {Groups: []string{"P-257"}},
		"is not a choice for the key":           {Key: "lattice"},
		"is not a choice for the resumption":    {Resume: "magic"},
		"is not a choice for the renegotiation": {Renegotiate: "both"},
		"is not a choice for the client":        {ClientCertificate: "perhaps"},
		"is not a choice for the authority":     {Authority: "me"},
		"renegotiation is for":                  {Renegotiate: "client", Min: "TLS 1.3"},
		"resumption by PSK is for":              {Resume: "psk", Max: "TLS 1.2"},
		"the choice of suites is for":           {Suites: []string{"TLS_AES_128_GCM_SHA256"}, Max: "TLS 1.2"},
		"is not a switch of tls.Legacy":         {Client: Settings{Legacy: []string{"everything"}}},
		"is not a size for a DHE group":         {Server: Settings{DHBits: 512}},
		"cannot hold":                           {Client: Settings{Fragment: 1 << 20}},
		"too much to say":                       {Request: long},
		"too many names":                        {Suites: make([]string, maxNames+1)},
		"that would be resumed failed":          {Resume: "ticket", Client: Settings{Groups: []string{"x25519"}}, Server: Settings{Groups: []string{"p256"}}},
		"no version is left: compression ":      {Compression: true, Min: "TLS 1.3"},
	} {
		if _, err := Run(t.Context(), s, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want something with %q", s, err, want)
		}
	}
}

func TestNoSuchDeviation(t *testing.T) {
	for want, d := range map[string]Deviation{
		"is not a kind":                {Kind: "wish"},
		"is not a side":                {Kind: "drop", From: "both", At: 1},
		"there is no record 0":         {Kind: "drop", From: "client"},
		"no bit 8":                     {Kind: "flip", From: "client", At: 1, Bit: 8},
		"are not bytes in hexadecimal": {Kind: "replace", From: "client", At: 1, Text: "xyz"},
		"not a version":                {Kind: "lower-version", Text: "2"},
		"not a cipher suite":           {Kind: "strip-suite", Text: "none"},
		"is not an extension":          {Kind: "strip-extension", Text: "none"},
		"are not numbers of suites":    {Kind: "offer-suites", Text: "123"},
		"needs no keys":                {Kind: "truncate", From: "client", At: 1, Inside: true},
		"set inside too":               {Kind: "drop", From: "client", At: 1, Mend: true},
		"too much text":                {Kind: "replace", From: "client", At: 1, Text: strings.Repeat("0", maxText+2)},
		"are not numbers of suites; ":  {Kind: "answer-suite"},
		"-1; bits are 0 to 7":          {Kind: "flip", From: "client", At: 1, Byte: -1},
		"of byte 0; bits are 0 to":     {Kind: "flip", From: "client", At: 1, Bit: -1},
	} {
		if _, err := Run(t.Context(), Setup{}, &d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want something with %q", d, err, want)
		}
	}
}

// A run ends with its context, whatever the two would still say.
func TestRunsAreBounded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	r, err := Run(ctx, Setup{Request: strings.Repeat("x", maxData)}, nil)
	if err == nil && r.Finding.Outcome == Honest {
		t.Error("a run whose time is up was honest to its end")
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error(ctx.Err())
	}
}

// Each row of Kinds can be played, and has its words.
func TestKinds(t *testing.T) {
	text := map[string]string{"replace": "00", "lower-version": "TLS 1.2", "strip-suite": "TLS_AES_128_GCM_SHA256", "offer-suites": "1302", "strip-extension": "server_name", "answer-suite": "1303"}
	for _, k := range Kinds {
		for _, inside := range []bool{false, true} {
			if inside && !k.Inside {
				continue
			}
			d := &Deviation{Kind: k.Name, From: "client", At: 1, Byte: 30, Text: text[k.Name], Inside: inside}
			r := run(t, Setup{Max: map[bool]string{true: "TLS 1.2"}[k.On == OnChain]}, d)
			if r.Words == "" || strings.ContainsAny(r.Words, "{}") || k.Title == "" || k.What == "" || r.Finding.Outcome == Absent && k.Name != "strip-extension" {
				t.Errorf("%+v: %q, %+v", d, r.Words, r.Finding)
			}
			if inside != strings.Contains(r.Words, "keys known") {
				t.Error(r.Words)
			}
		}
	}
	if v, err := version("TLSv1.2"); v != wire.TLS12 || err != nil {
		t.Error(v, err)
	}
}

// Where both sides wait, what each reads is that its time is up, not the end of the stream,
// which nobody has sent.
func TestWaitingIsNoEnd(t *testing.T) {
	r := run(t, Setup{}, &Deviation{Kind: "drop", From: "client", At: 1})
	for _, x := range r.sides {
		if !errors.Is(x.err, os.ErrDeadlineExceeded) {
			t.Errorf("the %v: %v", x.role, x.err)
		}
	}
}
