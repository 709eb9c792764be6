package wire

import (
	"crypto/sha256"
	"testing"
)

func FuzzServerHello(f *testing.F) { fuzzMessage(f, TypeServerHello) }

func TestServerHelloFields(t *testing.T) {
	m := decode[*ServerHello](t, "ServerHello", "rfc8448-3")
	var share KeyShareEntry
	if _, err := m.Extensions.Read(ExtKeyShare, func(r *Reader) { share = ReadKeyShare(r) }); err != nil {
		t.Fatal(err)
	}
	if m.LegacyVersion != TLS12 || m.CipherSuite != TLS_AES_128_GCM_SHA256 || m.CompressionMethod != 0 ||
		share.Group != GroupX25519 || len(share.Share) != 32 || m.IsRetry() || m.Name() != "ServerHello" {
		t.Errorf("%+v, share %+v", m, share)
	}
}

func TestHelloRetryRequest(t *testing.T) {
	if HelloRetryRandom != sha256.Sum256([]byte("HelloRetryRequest")) {
		t.Error("the marker is not the hash that RFC 8446 §4.1.3 names")
	}
	m := decode[*ServerHello](t, "ServerHello", "rfc8448-5-hrr")
	var cookie []byte
	if found, err := m.Extensions.Read(ExtCookie, func(r *Reader) { cookie = ReadCookie(r) }); !found || err != nil {
		t.Fatal(found, err)
	}
	if !m.IsRetry() || m.Name() != "HelloRetryRequest" || len(cookie) != 0x72 {
		t.Errorf("retry %v, name %s, cookie of %d bytes", m.IsRetry(), m.Name(), len(cookie))
	}
	if !decode[*ServerHello](t, "ServerHello", "openssl-tls13-hrr").IsRetry() {
		t.Error("OpenSSL's HelloRetryRequest is not seen as one")
	}
}

// In a retry, key_share is a group alone: what selects the grammar is in the
// message itself, its random.
func TestRecorderReadsKeyShareOfRetryAsGroup(t *testing.T) {
	for name, want := range map[string]string{"rfc8448-5-hrr": "selected_group", "rfc8448-3": "key_share_entry"} {
		g := find(t, "ServerHello", name)
		var rec Recorder
		if _, err := DecodeMessage(g.raw, g.ctx, &rec); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, s := range rec.Spans {
			found = found || s.Name == want
		}
		if !found {
			t.Errorf("%s: no span %s", name, want)
		}
	}
}
