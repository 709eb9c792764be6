package passive

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// concealedEnds are ends of which the client encrypts its hello.
func concealedEnds(t *testing.T) *ends {
	t.Helper()
	p := newEnds(t, devca.ECDSA)
	key, err := tls.GenerateECHKey("public.test", tls.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p.client.EncryptedClientHelloConfigList, err = tls.ECHConfigList(key); err != nil {
		t.Fatal(err)
	}
	p.server.EncryptedClientHelloKeys = []tls.EncryptedClientHelloKey{key}
	return p
}

// whole reports that a listener saw what the client's own hooks did.
func whole(t *testing.T, h *heard, e *events, s Summary) {
	t.Helper()
	if !s.Complete || !s.Readable || s.Missing != "" {
		t.Errorf("%+v", s)
	}
	var want, got [][]byte
	for _, x := range h.client.inner {
		want = append(want, x.Raw)
	}
	for _, x := range e.inner {
		got = append(got, x.Raw)
	}
	if !bytes.Equal(bytes.Join(want, nil), bytes.Join(got, nil)) {
		t.Errorf("inside are %d messages, the client's are %d", len(got), len(want))
	}
	for _, m := range e.messages {
		if m.Raw[0] == byte(wire.TypeFinished) {
			return
		}
	}
	t.Error("no Finished was read")
}

// By ECH_SECRET and ECH_CONFIG of the key log the inner hello opens, and the one that counts is known.
func TestEncryptedHello(t *testing.T) {
	for name, set := range map[string]func(p *ends){
		"plain": func(p *ends) {},
		"retry": func(p *ends) { p.client.KeyShares = []tls.CurveID{} },
	} {
		t.Run(name, func(t *testing.T) {
			p := concealedEnds(t)
			set(p)
			for i := range 2 {
				h := p.connect(t)
				e, s := h.listen(logOf(h.log), nil)
				whole(t, h, e, s)
				if s.ServerName != "localhost" || s.Resumed != []string{"", "psk"}[i] || s.HelloRetry != (p.client.KeyShares != nil) {
					t.Errorf("connection %d: %+v", i, s)
				}
				if len(e.choices) != 1 || e.choices[0].Picked != "ClientHelloInner" {
					t.Errorf("connection %d: the server chose %+v", i, e.choices)
				}
				var names []string
				for _, x := range e.secrets {
					names = append(names, x.Name)
				}
				if all := strings.Join(names, " "); !strings.HasPrefix(all, "ech_shared_secret ech_confirmation_key ech_accept_confirmation ") {
					t.Errorf("connection %d: the secrets are %s", i, all)
				}
			}
		})
	}
}

// A hello that the server does not take is shown, and the outer one counts.
func TestEncryptedHelloThatIsNotTaken(t *testing.T) {
	p := concealedEnds(t)
	p.server.EncryptedClientHelloKeys = nil
	p.fails = true
	h := p.connect(t)
	e, s := h.listen(logOf(h.log), nil)
	if s.ServerName != "public.test" || len(e.inner) != 1 || len(e.choices) != 1 || e.choices[0].Picked != "ClientHelloOuter" || !s.Readable {
		t.Errorf("%+v, %d inside, %+v", s, len(e.inner), e.choices)
	}
}

// Without the two lines, or with ones that do not fit, the outer hello is all that there is.
func TestEncryptedHelloWithoutItsSecret(t *testing.T) {
	p := concealedEnds(t)
	h := p.connect(t)
	other := p.connect(t)
	random := fmt.Sprintf("%x", h.client.messages[0].Raw[wire.HeaderLen+2:][:32])
	change := func(label, value string) []byte {
		var out []byte
		for line := range bytes.Lines(h.log) {
			if f := strings.Fields(string(line)); f[0] == label {
				if value == "" {
					continue
				}
				line = []byte(label + " " + f[1] + " " + value + "\n")
			}
			out = append(out, line...)
		}
		return out
	}
	for name, log := range map[string][]byte{
		"no secret": change("ECH_SECRET", ""), "no config": change("ECH_CONFIG", ""), "another secret": change("ECH_SECRET", strings.Repeat("00", 32)),
		"a config that is none": change("ECH_CONFIG", "fe0d"), "one of another version": change("ECH_CONFIG", "fe0a000100"), "another connection's": other.log,
		"a config that is too long": change("ECH_CONFIG", strings.Repeat("00", maxConfig+1)),
	} {
		e, s := h.listen(logOf(log), nil)
		if len(e.inner) > 0 || s.ServerName != "public.test" || len(e.choices) > 0 {
			t.Errorf("%s: %d inside, %+v", name, len(e.inner), s)
		}
	}
	if logOf(h.log).secret(logECHSecret, h.client.messages[0].Raw[wire.HeaderLen+2:][:32]) == nil {
		t.Error("the log has no ECH_SECRET for", random)
	}
}

// Early data is that of the inner hello.
func TestEncryptedHelloWithEarlyData(t *testing.T) {
	p := concealedEnds(t)
	p.client.NextProtos, p.server.NextProtos = []string{"test"}, []string{"test"}
	p.server.EarlyData = tls.EarlyData{MaxBytes: 1 << 10, Protocols: []string{"test"}, Replay: session.SingleUse(session.NewMemory(1 << 20))}
	p.connect(t)
	h := p.connectEarly(t, "early")
	e, s := h.listen(logOf(h.log), nil)
	whole(t, h, e, s)
	var early bool
	for _, r := range e.records {
		early = early || r.Dir == trace.Sent && string(r.Plain) == "early"
	}
	if !early {
		t.Error("the early data was not read")
	}
}

// Certificates that went compressed are shown as what they are, if they are what they say.
func TestCompressedCertificate(t *testing.T) {
	p := newEnds(t, devca.RSA)
	withClientCertificate(t, p)
	p.server.ClientAuth = tls.RequireAnyClientCert
	twice := certcompress.Zlib()
	twice.ID, twice.Always = 0xff01, true
	for _, a := range []certcompress.Algorithm{{ID: wire.CertificateZlib, Compress: certcompress.Zlib().Compress, Decompress: certcompress.Zlib().Decompress, Always: true}, twice} {
		p.client.CertificateCompression, p.server.CertificateCompression = []certcompress.Algorithm{a}, []certcompress.Algorithm{a}
		p.client.ClientSessionCache = nil
		h := p.connect(t)
		k := logOf(h.log)
		if a.ID == twice.ID {
			if e, s := h.listen(k, nil); len(e.inner) > 0 || !s.Complete {
				t.Errorf("what nobody knows was inflated: %d inside, %+v", len(e.inner), s)
			}
			k.AddCompression(twice)
		}
		e, s := h.listen(k, nil)
		whole(t, h, e, s)
		if len(e.inner) != 2 || e.inner[0].Raw[0] != byte(wire.TypeCertificate) {
			t.Errorf("%d inside", len(e.inner))
		}
	}
}

// What is no certificate, or would be too long, is not inflated.
func TestCompressedCertificateThatIsNone(t *testing.T) {
	small, err := certcompress.Zlib().Compress(make([]byte, 100<<10))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]wire.CompressedCertificate{
		"a bomb":          {Algorithm: wire.CertificateZlib, Length: 100 << 10, Compressed: small},
		"too long":        {Algorithm: wire.CertificateZlib, Length: maxCertificate + 1, Compressed: make([]byte, 10_000)},
		"no zlib":         {Algorithm: wire.CertificateZlib, Length: 10, Compressed: []byte("none")},
		"nobody knows it": {Algorithm: 0x7777, Length: 10, Compressed: []byte("none")},
	} {
		e := new(events)
		l := New(e.hooks(), nil, nil)
		l.newHandshake()
		l.inflate(&l.dirs[wire.Server], wire.AppendMessage(nil, &m, wire.Context{}))
		if len(e.inner) > 0 {
			t.Errorf("%s was inflated to %d bytes", name, len(e.inner[0].Raw))
		}
	}
}

// connectEarly is connect, where what the client says first is early data.
func (p *ends) connectEarly(t *testing.T, data string) *heard {
	t.Helper()
	serve := p.serve
	p.serve = func(c *tls.Conn) error {
		early, err := c.AcceptEarly(context.Background())
		if early == nil || err != nil {
			return err
		}
		buf := make([]byte, len(data))
		for n := 0; n < len(buf) && err == nil; {
			var m int
			m, err = early.Read(buf[n:])
			n += m
		}
		return c.HandshakeContext(context.Background())
	}
	defer func() { p.serve = serve }()
	p.early = data
	defer func() { p.early = "" }()
	return p.connect(t)
}
