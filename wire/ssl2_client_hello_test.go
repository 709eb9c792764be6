package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// ssl2Hellos are records as old clients sent them. OpenSSL 3.0.22's s_server
// answers "short" with a ServerHello of TLS 1.2.
var ssl2Hellos = map[string]string{
	// TLS 1.2 at most; suites of TLS, two kinds of SSL 2.0 and an SCSV; a short challenge.
	"short": "802b0103030012000000" + "1000002f00003500000a0100800700c00000ff5f3c0d9a1e6b2487c0ffee0123456789",
	// A full challenge.
	"full": "802c0103010003000000" + "20000035" + "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	// A session ID, and nothing but SSL 2.0.
	"ssl2": "802c0100020003001000" + "10010080" + "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" + "000102030405060708090a0b0c0d0e0f",
}

func ssl2Hello(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(ssl2Hellos[name])
	if err != nil || SSL2HelloLen(raw) != len(raw) {
		t.Fatalf("%s has %d bytes and says %d (%v)", name, len(raw), SSL2HelloLen(raw), err)
	}
	return raw[SSL2HeaderLen:]
}

func TestSSL2ClientHello(t *testing.T) {
	for name, want := range map[string]struct {
		version   Version
		suites    []CipherSuite
		id, specs int
		random    string
	}{
		"short": {TLS12, []CipherSuite{TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_256_CBC_SHA, 0x000a, TLS_EMPTY_RENEGOTIATION_INFO_SCSV},
			0, 6, "000000000000000000000000000000005f3c0d9a1e6b2487c0ffee0123456789"},
		"full": {TLS10, []CipherSuite{TLS_RSA_WITH_AES_256_CBC_SHA}, 0, 1, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
		"ssl2": {SSL20, nil, 16, 1, "00000000000000000000000000000000000102030405060708090a0b0c0d0e0f"},
	} {
		var m SSL2ClientHello
		if err := Decode(&m, ssl2Hello(t, name), Context{}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		h := m.Hello()
		if h.LegacyVersion != want.version || !slices.Equal(h.CipherSuites, want.suites) || len(h.SessionID) != want.id ||
			len(m.CipherSpecs) != want.specs || hex.EncodeToString(h.Random) != want.random {
			t.Errorf("%s: %+v", name, h)
		}
		if !h.NoExtensions || !slices.Equal(h.CompressionMethods, []CompressionMethod{CompressionNull}) {
			t.Errorf("%s: no extensions is %v, compression %v", name, h.NoExtensions, h.CompressionMethods)
		}
	}
}

func TestSSL2ClientHelloFollowsTheLaws(t *testing.T) {
	var reused SSL2ClientHello
	for name := range ssl2Hellos {
		body := ssl2Hello(t, name)
		if err := checkSSL2Laws(t, &reused, body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := range body {
			if err := checkSSL2Laws(t, &reused, body[:n:n]); err == nil {
				t.Errorf("%s, cut at %d: accepted", name, n)
			}
		}
		if err := checkSSL2Laws(t, &reused, append(bytes.Clone(body), 0)); err == nil {
			t.Errorf("%s with a byte more: accepted", name)
		}
	}
}

// checkSSL2Laws is checkLaws for a message that has no handshake header.
func checkSSL2Laws(t testing.TB, reused *SSL2ClientHello, body []byte) error {
	t.Helper()
	var m, recorded SSL2ClientHello
	rec := &Recorder{Base: 1000}
	err, recordedErr := Decode(&m, body, Context{}, nil), Decode(&recorded, body, Context{}, rec)
	checkSpans(t, rec.Spans, rec.Base, len(body))
	checkSyntaxError(t, err, len(body))
	checkReuse(t, reused, body, Context{})
	if !reflect.DeepEqual(err, recordedErr) || err == nil && !reflect.DeepEqual(m, recorded) {
		t.Errorf("with a recorder: %+v, %v\nwithout: %+v, %v", recorded, recordedErr, m, err)
	}
	if err == nil && !bytes.Equal(m.Append(nil, Context{}), body) {
		t.Errorf("parsed:   %x\nappended: %x", body, m.Append(nil, Context{}))
	}
	if err == nil && len(m.Hello().Random) != 32 {
		t.Errorf("a random of %d bytes", len(m.Hello().Random))
	}
	return err
}

// The lengths that old hellos may have, and no others.
func TestSSL2ClientHelloLengths(t *testing.T) {
	for _, c := range []struct {
		field                string
		specs, id, challenge int
	}{
		{"", 3, 0, 16}, {"", 30, 16, 32}, {"", 3, 0, 17}, {"", 3, 0, 33},
		{"cipher_spec_length", 0, 0, 16}, {"cipher_spec_length", 4, 0, 16},
		{"session_id_length", 3, 1, 16}, {"session_id_length", 3, 32, 16},
		{"challenge_length", 3, 0, 15}, {"challenge_length", 3, 0, 0},
	} {
		body := []byte{1, 3, 0, 0, byte(c.specs), 0, byte(c.id), 0, byte(c.challenge)}
		body = append(body, make([]byte, c.specs+c.id+c.challenge)...)
		err := Decode(new(SSL2ClientHello), body, Context{}, nil)
		var s *SyntaxError
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &s) || s.Field != c.field) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	body := ssl2Hello(t, "full")
	body[0] = 4 // the server's hello
	if err := Decode(new(SSL2ClientHello), body, Context{}, nil); err == nil {
		t.Error("another message was read as a ClientHello")
	}
}

func TestSSL2HelloLen(t *testing.T) {
	for raw, want := range map[string]int{
		"": 0, "\x80\x2e": 0, "\x80\x2e\x01": 0x30, "\x81\x02\x01\x03": 0x104,
		"\x80\x2e\x04": 0, "\x16\x03\x01": 0, "\x00\x2e\x01": 0,
	} {
		if got := SSL2HelloLen([]byte(raw)); got != want {
			t.Errorf("%x: %d, want %d", raw, got, want)
		}
	}
}

func TestSSL2CipherSpecNames(t *testing.T) {
	for s, want := range map[SSL2CipherSpec]string{
		0x00002f: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x010080: "SSL_CK_RC4_128_WITH_MD5", 0x123456: "cipher_kind(0x123456)",
	} {
		if got := fmt.Sprint(s); got != want {
			t.Errorf("%06x is %s, want %s", uint32(s), got, want)
		}
	}
}

func FuzzSSL2ClientHello(f *testing.F) {
	for name := range ssl2Hellos {
		f.Add(ssl2Hello(f, name))
	}
	var reused SSL2ClientHello
	f.Fuzz(func(t *testing.T, body []byte) { checkSSL2Laws(t, &reused, body) })
}

// A challenge fills the random from its end; of one that is too long the front counts.
func TestSSL2ClientHelloRandom(t *testing.T) {
	challenge := make([]byte, 48)
	for i := range challenge {
		challenge[i] = byte(i + 1)
	}
	for n := 16; n <= len(challenge); n++ {
		m := SSL2ClientHello{Challenge: challenge[:n]}
		want := append(make([]byte, max(0, 32-n)), challenge[:min(n, 32)]...)
		if got := m.Hello().Random; !bytes.Equal(got, want) {
			t.Errorf("of %d bytes the random is %x, want %x", n, got, want)
		}
	}
}
