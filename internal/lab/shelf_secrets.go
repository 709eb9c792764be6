package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/passive"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// What somebody learns that only listens, and one that has the server's key later.

var listener = &Experiment{
	Name: "listener", Title: "What a passive listener learns",
	Story: []string{
		"Somebody on the path listens and changes nothing. It sees who talks to whom, when, and how much. What else it sees depends on the version.",
		"Up to TLS 1.2 the whole handshake is in the clear. That is the name that the client asks for, the server's certificate, and the client's, so the person's name. TLS 1.3 encrypts all after the ServerHello; the name that is asked for is still there.",
		"And later, when the server's key is stolen or handed over? With RSA the key opens every connection that was recorded. With ECDHE it opens none.",
	},
	Look:   "Which records are marked as encrypted, and what is in those that are not.",
	Answer: "TLS 1.3, and up to TLS 1.2 key exchanges with forward secrecy. The length of what is said can only be hidden by padding, which costs.",
	Refs:   []string{"RFC 8446 §E.1", "RFC 5246 §F.1.1.2", "RFC 7525 §6.3"},
	cases: []Case{
		{Title: "SSL 3.0, RSA", Setup: Setup{Min: "SSL 3.0", Max: "SSL 3.0"}},
		{Title: "TLS 1.2, RSA", Setup: Setup{Suites: []string{rsaGCM}, ClientCertificate: "shown"}},
		{Title: "TLS 1.2, ECDHE", Setup: Setup{Suites: []string{ecdheGCM}, ClientCertificate: "shown"}},
		{Title: "TLS 1.3", Setup: Setup{ClientCertificate: "shown"}},
	},
	measure: func(_ context.Context, p *Played) error {
		key, err := serverKey()
		if err != nil {
			return err
		}
		stolen := new(passive.Keys)
		stolen.AddRSA(key)
		for n, name := range []string{"SSL 3.0, RSA", "TLS 1.2, RSA", "TLS 1.2, ECDHE", "TLS 1.3"} {
			r := p.Runs[n].Result
			p.fact(name, name+": bytes of data that the stolen key opens", len(heardWith(r, stolen)))
			p.facts[name+", said"] = len(r.setup.request()) + len(r.setup.answer())
			p.facts["without"] += len(heardWith(r, nil))
		}
		return nil
	},
	claims: []claim{
		{"In no version does the listener read what was said.", func(p *Played) bool {
			for _, x := range p.Runs {
				if heardOnTheWire(x.Result, []byte("Cookie")) || heardOnTheWire(x.Result, []byte("Behind the glass")) || x.Result.Finding.Outcome != Honest {
					return false
				}
			}
			return p.facts["without"] == 0
		}},
		{"Up to TLS 1.2 it has the certificates of both sides; in TLS 1.3 it has neither.", func(p *Played) bool {
			for n, want := range []bool{true, true, true, false} {
				r := p.Runs[n].Result
				if heardOnTheWire(r, certificateIn(r, "server")) != want || n > 0 && heardOnTheWire(r, certificateIn(r, "client")) != want {
					return false
				}
			}
			return true
		}},
		{"The name that the client asks for is in the clear even in TLS 1.3; SSL 3.0 does not send it.", func(p *Played) bool {
			hello := func(n int) bool {
				return bytes.Contains(messageOf(p.Runs[n].Result.Client, "client", "ClientHello").Raw, []byte(serverName))
			}
			return !hello(0) && hello(1) && hello(2) && hello(3)
		}},
		{"It knows how much was said, to the byte. In TLS 1.2 with AES-GCM a record is 29 bytes longer than what it holds, in TLS 1.3 22.", func(p *Played) bool {
			for n, more := range map[int]int{1: 29, 2: 29, 3: 22} {
				r := p.Runs[n].Result
				if lengths(r.Client, "client") != len(r.setup.request())+more || lengths(r.Client, "server") != len(r.setup.answer())+more {
					return false
				}
			}
			return true
		}},
		{"With the server's key it reads every byte of both recorded connections with RSA.", func(p *Played) bool {
			return p.facts["SSL 3.0, RSA"] == p.facts["SSL 3.0, RSA, said"] && p.facts["TLS 1.2, RSA"] == p.facts["TLS 1.2, RSA, said"]
		}},
		{"Of those with ECDHE, in TLS 1.2 and 1.3, it reads nothing: the key has only signed there.", func(p *Played) bool {
			return p.facts["TLS 1.2, ECDHE"] == 0 && p.facts["TLS 1.3"] == 0 && strings.HasPrefix(p.Runs[2].Result.Client.Summary.KeyExchange, "ECDHE")
		}},
	},
}

// certificateIn is a side's message with its certificate.
func certificateIn(r *Result, from string) []byte {
	if m := messageOf(r.Client, from, "Certificate"); m != nil {
		return m.Raw
	}
	return nil
}

// serverKey is the RSA key of the lab's server.
func serverKey() (*rsa.PrivateKey, error) {
	known, err := trusted()
	if err != nil {
		return nil, err
	}
	cert, err := known.leaf(serverName, devca.RSA, false)
	if err != nil {
		return nil, err
	}
	key, ok := cert.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not an RSA key")
	}
	return key, nil
}

// heardWith is the data that an attacker reads with a recorded connection and these keys.
func heardWith(r *Result, keys *passive.Keys) (data []byte) {
	hooks := &trace.Hooks{Record: func(x trace.Record) {
		if x.Type == wire.ContentApplicationData && x.Epoch > 0 && x.Unopened == "" {
			data = append(data, x.Plain...)
		}
	}}
	l := passive.New(hooks, keys, nil)
	for _, e := range r.Client.Events {
		if e.Record == nil {
			continue
		}
		from := wire.Client
		if e.Record.From == "server" {
			from = wire.Server
		}
		l.Data(from, time.Time{}, e.Record.Wire)
	}
	return data
}

var triple = &Experiment{
	Name: "triple", Title: "Triple handshake: two sessions with one secret",
	Story: []string{
		"A client talks to a server that it trusts with little, and that server is an attacker. The client's secret was encrypted to its certificate, so it has that. It uses the secret in a connection of its own with the server that it is after. It hands on both randoms as they are.",
		"Up to 2014 the master secret depended on these three values alone. So both connections had the same one, though their certificates differ, and what one proved held for the other: in a renegotiation the client's certificate came to count for what the attacker had said.",
		"The extended master secret depends on the hash of all messages, the certificate's too.",
	},
	Look:   "The input of master_secret: the two randoms, or the hash of the messages.",
	Answer: "Extended master secret is on by default on both sides, and a session never crosses from with it to without.",
	Refs:   []string{"CVE-2014-1295", "RFC 7627 §1", "RFC 7627 §4"},
	measure: func(ctx context.Context, p *Played) error {
		for _, with := range []bool{false, true} {
			if err := twoSessions(ctx, p, with); err != nil {
				return err
			}
		}
		return nil
	},
	claims: []claim{
		{"Without the extension the attacker's two connections have one master secret.", func(p *Played) bool { return p.facts["without"] == 1 }},
		{"Its input is both randoms and nothing else.", func(p *Played) bool {
			s := secretOf(p.Runs[0].Result.Client, "master_secret")
			return s != nil && strings.Contains(s.InputIs, "random")
		}},
		{"With it, the same premaster secret and the same randoms give two.", func(p *Played) bool { return p.facts["with"] == 0 }},
		{"Its input is the hash of all messages up to ClientKeyExchange.", func(p *Played) bool {
			s := secretOf(p.Runs[2].Result.Client, "master_secret")
			return s != nil && strings.Contains(s.InputIs, "ClientHello..ClientKeyExchange")
		}},
	},
}

// fixed gives the same bytes to every connection: those of a hello's random.
type fixed []byte

func (f fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = f[i%len(f)]
	}
	return len(p), nil
}

// twoSessions has an attacker use a client's premaster secret and both randoms in a
// connection of its own, and notes whether the two have one master secret.
func twoSessions(ctx context.Context, p *Played, extended bool) error {
	s := Setup{Suites: []string{rsaGCM}, Authority: stranger, Client: Settings{Insecure: true}}
	name, title := "with", "with extended master secret"
	if !extended {
		s.Client.Legacy, s.Server.Legacy = []string{"NoExtendedMasterSecret"}, []string{"NoExtendedMasterSecret"}
		name, title = "without", "without extended master secret"
	}
	client, server := fixed("the client's random, handed on.."), fixed("the server's random, handed on..")
	first, err := withRandoms(ctx, s, nil, client, server)
	if err != nil {
		return err
	}
	p.Runs = append(p.Runs, PlayedCase{"The client and the attacker, " + title, first})
	key, err := serverKey()
	premaster := secretOf(first.Client, "premaster_secret")
	if err != nil || premaster == nil {
		return errors.Join(err, errors.New("the client told no premaster secret"))
	}
	//lint:ignore SA1019 it is what the key exchange has
	again, err := rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, premaster.Value)
	if err != nil {
		return err
	}
	s.Authority = ""
	second, err := withRandoms(ctx, s, func(_ wire.Role, _ int, x item, _ *bool) ([]item, bool) {
		if len(x.bytes) > len(again) && x.bytes[0] == byte(wire.TypeClientKeyExchange) {
			x.bytes = append(x.bytes[:len(x.bytes)-len(again)], again...)
		}
		return []item{x}, false
	}, client, server)
	if err != nil {
		return err
	}
	p.Runs = append(p.Runs, PlayedCase{"The attacker and the server, " + title, second})
	a, b := secretOf(first.Client, "master_secret"), secretOf(second.Server, "master_secret")
	same := 0
	if a != nil && b != nil && bytes.Equal(a.Value, b.Value) {
		same = 1
	}
	p.fact(name, "pairs of sessions with one master secret, "+title, same)
	return nil
}

// withRandoms is a run in which both randoms are given, and edit has the keys.
func withRandoms(ctx context.Context, s Setup, edit editor, client, server fixed) (*Result, error) {
	pair, err := s.configs()
	if err != nil {
		return nil, err
	}
	pair.client.Rand, pair.server.Rand = client, server
	r := play(ctx, &s, pair, tamper{edit: edit, inside: true, mend: true})
	r.sum(nil)
	return r, nil
}
