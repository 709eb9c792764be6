package lab

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// Attacks on what is said after the handshake, and on handshakes inside a connection.

var crime = &Experiment{
	Name: "crime", Title: "CRIME: a secret that is found by its length",
	Story: []string{
		"What is compressed gets shorter where it repeats itself. In 2012 Juliano Rizzo and Thai Duong had a script in a browser send requests with a guess in them. The browser put the cookie beside it, and both were compressed together. A right guess makes a shorter record, and anybody can see how long records are.",
		"Here the path of a request holds a guess: once it is right, once it is not.",
	},
	Look:   "The lengths of the client's data records.",
	Answer: "Compression is off, behind Legacy.Compression, and never used where TLS 1.3 is on offer. TLS 1.3 has none.",
	Refs:   []string{"CVE-2012-4929", "RFC 3749", "RFC 7525 §3.3"},
	measure: func(ctx context.Context, p *Played) error {
		for _, on := range []bool{true, false} {
			for _, guess := range []string{"8f3a09c1d4e7zzzzzzzzzz", "qwertyuiopasdfghjklmnb"} {
				name := map[bool]string{true: "compressed, ", false: "not compressed, "}[on] + map[bool]string{true: "the right guess", false: "a wrong guess"}[guess[0] == '8']
				s := Setup{Suites: []string{ecdheGCM}, Max: "TLS 1.2", Compression: on,
					Request: "GET /?Cookie: session=" + guess + " HTTP/1.1\r\nCookie: session=8f3a09c1d4e7\r\n" + strings.Repeat("x", 64)}
				r, err := p.add(ctx, name, s, nil)
				if err != nil {
					return err
				}
				p.fact(name, "bytes of data records: "+name, lengths(r.Client, "client"))
			}
		}
		return nil
	},
	claims: []claim{
		{"Compressed, the request with the right guess is shorter.", func(p *Played) bool {
			return p.facts["compressed, the right guess"] < p.facts["compressed, a wrong guess"]
		}},
		{"Not compressed, both are equally long.", func(p *Played) bool {
			return p.facts["not compressed, the right guess"] == p.facts["not compressed, a wrong guess"]
		}},
	},
}

var prefix = &Experiment{
	Name: "renegotiation", Title: "Renegotiation: what came before is somebody else's",
	Story: []string{
		"Up to TLS 1.2 a connection can have a second handshake inside. Until 2009 nothing tied it to the first. An attacker opened a connection, said half of a request, and then passed a client's handshake through as if it were the second. The server took what came then, with the client's cookie, for the other half.",
		"Here the ClientHello of another client is put into a connection, under its keys, after some data.",
	},
	Look:   "The extension renegotiation_info in the hello that was put in: it is empty, as in a first handshake.",
	Answer: "Both sides repeat the Finished of the handshake before (RFC 5746). Renegotiation is off by default: a server answers with a warning. Against a peer that does not know RFC 5746 it needs Legacy.UnsafeRenegotiation, and a server never follows such a client.",
	Refs:   []string{"CVE-2009-3555", "RFC 5746 §3.7"},
	measure: func(ctx context.Context, p *Played) error {
		s := Setup{Suites: []string{ecdheGCM}, Renegotiate: "allowed", Request: "GET /pay?to=attacker HTTP/1.1\r\nX-Ignore: "}
		other, err := Run(ctx, Setup{Suites: []string{ecdheGCM}}, nil)
		if err != nil {
			return err
		}
		hello := hex.EncodeToString(messageOf(other.Client, "client", "ClientHello").Raw)
		if _, err := p.add(ctx, "The hello of somebody else, where renegotiation is allowed", s, &Deviation{Kind: "inject", From: "client", At: 6, Inside: true, Text: hello}); err != nil {
			return err
		}
		s.Renegotiate = ""
		if _, err := p.add(ctx, "The same, where it is off", s, &Deviation{Kind: "inject", From: "client", At: 6, Inside: true, Text: hello}); err != nil {
			return err
		}
		_, err = p.add(ctx, "A client that renegotiates with itself", Setup{Suites: []string{ecdheGCM}, Renegotiate: "client"}, nil)
		return err
	},
	claims: []claim{
		{"Where it is allowed the server refuses the hello of somebody else with handshake_failure: it does not repeat the Finished before it.", func(p *Played) bool {
			return came(0, Refused, "server", "handshake_failure")(p) && strings.Contains(p.finding(0).Ref, "RFC 5746")
		}},
		{"Where it is off the server declines, and never begins a second handshake.", func(p *Played) bool {
			c := p.Runs[1].Result.Server
			for _, e := range c.Events {
				if e.Alert != nil && e.Alert.From == "server" && e.Alert.Code == "no_renegotiation" {
					return c.Summary.Renegotiations == 0
				}
			}
			return false
		}},
		{"The same client may: what it repeats is right, and both sides say so.", func(p *Played) bool {
			return came(2, Honest, "", "")(p) && p.Runs[2].Result.Server.Summary.Renegotiations == 1
		}},
	},
}

var sweet32 = &Experiment{
	Name: "sweet32", Title: "Sweet32: counting blocks",
	Story: []string{
		"A cipher with blocks of 64 bits has 2⁶⁴ of them. But among 2³² blocks two are equal with a chance of a third or so. The same holds for birthdays in a room of 23 people. In CBC two equal blocks give away the exclusive-or of what they hold. That is 32 gigabytes under one key: a long download with 3DES.",
		"Here a client sends records of one byte under 3DES, until its key is used up.",
	},
	Look:   "The number of records that the key was good for.",
	Answer: "3DES is off, behind Legacy.TripleDES. With it, a key protects 2¹⁶ records of at most 2¹⁴ bytes, so at most 2²⁷ blocks: then new keys are needed.",
	Refs:   []string{"CVE-2016-2183", "RFC 7457 §2.5"},
	cases: []Case{
		{Title: "A connection with 3DES", Setup: Setup{Suites: []string{"TLS_PSK_WITH_3DES_EDE_CBC_SHA"}, Max: "TLS 1.2"}},
	},
	measure: func(ctx context.Context, p *Played) error {
		for _, c := range []struct{ name, what, suite string }{
			{"3des", "records that a key of 3DES protects", "TLS_PSK_WITH_3DES_EDE_CBC_SHA"}, {"aes", "records of AES-128, where counting was stopped", "TLS_PSK_WITH_AES_128_CBC_SHA"},
		} {
			n, err := countRecords(ctx, c.suite)
			if err != nil {
				return err
			}
			p.fact(c.name, c.what, n)
		}
		return nil
	},
	claims: []claim{
		{"A key of 3DES protects 2¹⁶ records, the Finished among them, and no more.", func(p *Played) bool { return p.facts["3des"] == 1<<16 }},
		{"A key of AES, whose blocks have 128 bits, goes on.", func(p *Played) bool { return p.facts["aes"] > 1<<16 }},
	},
}

// countRecords counts the records that a client may send under one key, up to a little
// more than 2¹⁶.
func countRecords(ctx context.Context, name string) (int, error) {
	s := Setup{Suites: []string{name}, Max: "TLS 1.2"}
	pair, err := s.configs()
	if err != nil {
		return 0, err
	}
	near, far := net.Pipe()
	client, server := tls.Client(near, pair.client), tls.Server(far, pair.server)
	stop := context.AfterFunc(ctx, func() { near.Close() })
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, server) // until the client closes
	}()
	defer func() {
		near.Close()
		<-done
		far.Close()
	}()
	if err := client.Handshake(); err != nil {
		return 0, fmt.Errorf("the connection whose records are counted: %w", err)
	}
	const most = 1<<16 + 100
	for n := 1; n < most; n++ { // the Finished was the first
		if _, err := client.Write([]byte{'x'}); err != nil {
			return n, ctx.Err()
		}
	}
	return most, ctx.Err()
}
