package diagnose_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// An encounter is a case with a peer that is not an engine of ours at the other end, or in
// between. The account of our side alone must do.
type encounter struct {
	name  string
	play  func(t testing.TB, p *pki, s *scene) side
	want  string
	sure  diagnose.Confidence
	fault diagnose.Party
}

// before is our client, to which the other end does something.
func before(other func(conn net.Conn, s *scene)) func(testing.TB, *pki, *scene) side {
	return func(t testing.TB, _ *pki, s *scene) side {
		ours, theirs := both(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			theirs.SetDeadline(time.Now().Add(patience))
			other(theirs, s)
			theirs.Close()
		}()
		client := act(tls.Client, ours, s.client)
		<-done
		return client
	}
}

// says is a server that says something in the clear to whatever comes.
func says(what string) func(testing.TB, *pki, *scene) side {
	return before(func(conn net.Conn, _ *scene) {
		io.ReadFull(conn, make([]byte, 5))
		io.WriteString(conn, what)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	})
}

// without13 is a box that strikes TLS 1.3 out of what the client offers.
func without13(conn net.Conn, s *scene) {
	_, raw, err := listen(conn)
	if err != nil {
		return
	}
	for i := range len(raw) - 4 { // supported_versions begins 0 43, and has a length of 16 and of 8 bits
		if raw[i] != 0 || raw[i+1] != byte(wire.ExtSupportedVersions) || raw[i+2] != 0 || raw[i+3] != raw[i+4]+1 {
			continue
		}
		for at := i + 5; at+1 < i+5+int(raw[i+4]); at += 2 {
			if raw[at] == 3 && raw[at+1] == 4 {
				raw[at], raw[at+1] = 0x5a, 0x5a // a value that stands for none
			}
		}
	}
	serve(&primed{conn, io.MultiReader(&chunk{raw}, conn)}, s.server)
}

// A chunk is read once.
type chunk struct{ left []byte }

func (c *chunk) Read(b []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.left)
	c.left = c.left[n:]
	return n, nil
}

// flips carries records, and changes the last bit of the first that holds data.
type flips struct{ net.Conn }

func (f *flips) Write(b []byte) (int, error) {
	changed := slices.Clone(b)
	for at := 0; at+wire.RecordHeaderLen <= len(b); {
		end := at + wire.RecordHeaderLen + int(b[at+3])<<8 + int(b[at+4])
		if wire.ContentType(b[at]) == wire.ContentApplicationData && end <= len(b) {
			changed[end-1] ^= 1
			break
		}
		at = end
	}
	return f.Conn.Write(changed)
}

// renegotiates is a client that asks for a renegotiation at a server that has none.
func renegotiates(t testing.TB, _ *pki, s *scene) side {
	ours, theirs := both(t)
	done := make(chan side, 1)
	go func() { done <- act(tls.Server, theirs, s.server) }()
	c := explain.Collector{}
	config := s.client.Clone()
	config.MaxVersion, config.Trace = tls.VersionTLS12, c.Hooks()
	config.Renegotiation = tls.RenegotiateFreelyAsClient
	conn := tls.Client(ours, config)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ours.SetDeadline(time.Now().Add(patience))
	err := conn.HandshakeContext(ctx)
	if err == nil {
		err = conn.Renegotiate(ctx)
	}
	ours.Close()
	<-done
	return side{c.Connection(explain.About{Err: err}), err, &c}
}

// stapled is a client of three years ago, at a server that staples a response of now.
func stapled(version uint16, forged bool) func(testing.TB, *pki, *scene) side {
	return func(t testing.TB, p *pki, s *scene) side {
		c := p.leaf()
		signer := *p
		if forged {
			signer.middle = certify(t, p.root, template("Example Intermediate", authority), nil)
		}
		c.OCSPStaple = signer.answered(c, ocsp.Good, -time.Hour, time.Hour)
		s.server.Certificates, s.client.MaxVersion = certificates(c), version
		s.client.Time = func() time.Time { return time.Now().AddDate(-3, 0, 0) }
		client, _ := s.play(t)
		return client
	}
}

var encounters = []encounter{
	{"TLS on a port of HTTP", says("HTTP/1.1 400 Bad Request\r\n\r\n"), "tls-on-plain-port", diagnose.Certain, diagnose.Client},
	{"TLS on a port of HTTP that answers by a page alone", says("<html><body>what?"), "tls-on-plain-port", diagnose.Certain, diagnose.Client},
	{"TLS before STARTTLS", says("220 mail.test ESMTP\r\n"), "starttls-forgotten", diagnose.Certain, diagnose.Client},
	{"something that is no TLS", says("\x00\x01what is this\r\n"), "not-tls", diagnose.Likely, ""},
	{"a server that wants a name, and the client sends none", func(t testing.TB, p *pki, s *scene) side {
		s.client.ServerName = "127.0.0.1"
		return before(func(conn net.Conn, _ *scene) {
			listen(conn)
			alerts(wire.AlertUnrecognizedName)(conn, nil)
		})(t, p, s)
	}, "name-missing", diagnose.Likely, diagnose.Client},
	{"a box whose authority has a name that is known", func(t testing.TB, p *pki, s *scene) side {
		root := certify(t, nil, template("FortiGate CA", authority), nil)
		box := &pki{t, root, certify(t, root, template("FortiGate Signing", authority), nil)}
		s.server.Certificates = certificates(box.leaf())
		client, _ := s.play(t)
		return client
	}, "intercepted", diagnose.Likely, diagnose.Middle},
	{"plain HTTP on a port of TLS", func(t testing.TB, _ *pki, s *scene) side {
		ours, theirs := both(t)
		go func() {
			io.WriteString(ours, "GET /index.html HTTP/1.1\r\nHost: a.test\r\n\r\n")
			io.Copy(io.Discard, ours)
			ours.Close()
		}()
		return act(tls.Server, theirs, s.server)
	}, "plain-on-tls-port", diagnose.Certain, diagnose.Client},
	{"a server that falls silent behind its ServerHello", func(t testing.TB, _ *pki, s *scene) side {
		here := newStreet(t)
		address := here.minds(always, func(conn net.Conn, s *street) {
			sh := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, NoExtensions: true}
			m := wire.AppendMessage(nil, sh, wire.Context{Version: wire.TLS12, From: wire.Server})
			conn.Write(append([]byte{22, 3, 3, byte(len(m) >> 8), byte(len(m))}, m...))
			keepsSilent(conn, s)
		}, nil)
		account, also := reach(s.client, &diagnose.Way{Patience: short}, address)
		return side{account: account, err: also.Err}
	}, "stall", diagnose.Likely, ""},
	{"a box strikes TLS 1.3 out of the hello", before(without13), "downgraded", diagnose.Certain, diagnose.Middle},
	{"a box changes a record", before(func(conn net.Conn, s *scene) {
		s.server.MaxVersion = tls.VersionTLS12 // whose handshake has no records of data
		act(tls.Server, &flips{conn}, s.server)
	}), "record-changed", diagnose.Likely, diagnose.Middle},
	{"a server that does not renegotiate", renegotiates, "renegotiation-refused", diagnose.Certain, diagnose.Server},
	{"a client that falls back, and need not", func(t testing.TB, _ *pki, s *scene) side {
		s.client.MaxVersion, s.client.Legacy.FallbackSCSV = tls.VersionTLS12, true
		client, _ := s.play(t)
		return client
	}, "fallback", diagnose.Certain, diagnose.Middle},
	{"a client that falls back, and need not, at the server", func(t testing.TB, _ *pki, s *scene) side {
		s.client.MaxVersion, s.client.Legacy.FallbackSCSV = tls.VersionTLS12, true
		_, server := s.play(t)
		return server
	}, "fallback", diagnose.Certain, diagnose.Middle},
	{"a staple that is of the client's future", stapled(tls.VersionTLS13, false), "clock-of-client", diagnose.Likely, diagnose.Clock},
	{"a staple that is of the client's future, in TLS 1.2", stapled(tls.VersionTLS12, false), "clock-of-client", diagnose.Likely, diagnose.Clock},
	{"a staple of the client's future that somebody else signed", stapled(tls.VersionTLS13, true), "not-yet-valid", diagnose.Likely, diagnose.Clock},
}

func TestEncountersTellWhy(t *testing.T) {
	for _, e := range encounters {
		t.Run(e.name, func(t *testing.T) {
			p := newPKI(t)
			s := ordinary(p)
			us := e.play(t, p, s)
			judge(t, diagnose.Account(us.account, diagnose.Also{Err: us.err, Now: now(s.client)}), e.want, e.sure, e.fault)
		})
	}
}
