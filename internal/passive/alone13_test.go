package passive

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// What GnuTLS agrees on by a pre-shared key alone in TLS 1.3 opens with that key, and with
// no other; its Finished messages are as computed.
func TestPreSharedKeyAlone(t *testing.T) {
	script, err := os.ReadFile("testdata/psk_ke.heard")
	if err != nil {
		t.Fatal(err)
	}
	key, _ := hex.DecodeString("0123456789abcdef0123456789abcdef")
	keys := new(Keys)
	keys.AddPSK("alice", key[1:])
	got := new(events)
	l := New(got.hooks(), keys, nil)
	if follow(l, script); l.Summary().Client.Opened+l.Summary().Server.Opened > 0 {
		t.Errorf("with another key: %+v", l.Summary())
	}
	keys.AddPSK("alice", key)
	got = new(events)
	l = New(got.hooks(), keys, nil)
	follow(l, script)
	if s := l.Summary(); !s.Complete || s.Missing != "" || s.Resumed != "psk" || s.Suite != wire.TLS_CHACHA20_POLY1305_SHA256 {
		t.Errorf("%+v", s)
	}
	var said []byte
	for _, r := range got.records {
		if r.Type == wire.ContentApplicationData {
			said = append(said, r.Plain...)
		}
	}
	if !bytes.Contains(said, []byte("GET / HTTP/1.0")) || !bytes.Contains(said, []byte("HTTP/1.0 200 OK")) {
		t.Errorf("it says %q", said)
	}
	finished := map[string][]byte{}
	for _, x := range got.secrets {
		finished[x.Name] = x.Value
	}
	for _, m := range got.messages {
		if name := m.Context.From.String() + "_verify_data"; m.Raw[0] == byte(wire.TypeFinished) && !bytes.Equal(m.Raw[wire.HeaderLen:], finished[name]) {
			t.Errorf("%s is %x, not %x", name, m.Raw[wire.HeaderLen:], finished[name])
		}
	}
}
