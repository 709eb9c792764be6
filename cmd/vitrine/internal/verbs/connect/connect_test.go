package connect

import (
	"strings"
	"testing"
	"time"
)

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
