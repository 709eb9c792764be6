package connect

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// pair returns a connection whose other end answer serves.
func pair(t *testing.T, answer func(*tls.Conn)) *tls.Conn {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		defer raw.Close()
		conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
		if err := conn.Handshake(); err != nil {
			t.Error(err)
			return
		}
		answer(conn)
	}()
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// endless is a standard input at which nobody types.
func endless(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return r
}

func TestRelayClosesOneDirectionAtATime(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) {
		all, err := io.ReadAll(peer) // ends with our close_notify only
		if err != nil {
			t.Error(err)
		}
		peer.Write(bytes.ToUpper(all))
		peer.Close()
	})
	var out strings.Builder
	if err := new(options).relay(conn, strings.NewReader("some words"), &out); err != nil || out.String() != "SOME WORDS" {
		t.Errorf("relayed %q, %v", out.String(), err)
	}
}

func TestRelayEndsWithThePeer(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) { io.WriteString(peer, "bye"); peer.Close() })
	var out strings.Builder
	if err := new(options).relay(conn, endless(t), &out); err != nil || out.String() != "bye" {
		t.Errorf("relayed %q, %v", out.String(), err)
	}
}

func TestRelayTellsTruncationFromTheEnd(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) {
		io.WriteString(peer, "cut o")
		time.Sleep(10 * time.Millisecond)
		peer.NetConn().Close()
	})
	var out strings.Builder
	err := new(options).relay(conn, endless(t), &out)
	if !errors.Is(err, io.ErrUnexpectedEOF) || out.String() != "cut o" || report.ExitCode(err) != report.ExitNetwork {
		t.Errorf("relayed %q, %v", out.String(), err)
	}
}

func TestSummaryIsShortAndQuoted(t *testing.T) {
	evil := "\x1b[31m\nverified"
	s := &Summary{
		Target: "localhost:443", Peer: "127.0.0.1:443", Version: "TLS 1.3", CipherSuite: "TLS_X", Group: "x25519", SignatureScheme: "ed25519", Resumed: "psk",
		ALPN: evil, ServerName: evil, NotVerified: evil, ClientCertificate: "sent",
		Chain: []Certificate{{
			Subject: evil, Issuer: evil, Names: []string{evil, evil, evil, evil, evil, evil}, Key: "RSA 2048",
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(49 * time.Hour),
		}},
	}
	var b strings.Builder
	if err := s.write(&b); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if n := strings.Count(out, "\n") - strings.Count(out, "\n              "); n > 10 { // but for what is wrapped
		t.Errorf("%d rows", n)
	}
	if strings.ContainsRune(out, 0x1b) || strings.Contains(out, "\nverified") {
		t.Errorf("what the peer chose is not quoted:\n%q", out)
	}
	for _, want := range []string{"TLS 1.3, resumed by pre-shared key", "valid for 2 more days", "and 2 more", "NO"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
}

func TestValidity(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for want, c := range map[string]Certificate{
		"not valid before 2026-07-03": {NotBefore: now.Add(2 * day), NotAfter: now.Add(9 * day)},
		"expired on 2026-06-30":       {NotBefore: now.Add(-9 * day), NotAfter: now.Add(-day)},
		"valid for 1 more day":        {NotBefore: now.Add(-day), NotAfter: now.Add(day + time.Hour)},
		"valid for 30 more days":      {NotBefore: now.Add(-day), NotAfter: now.Add(30 * day)},
	} {
		if got := validity(c, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
