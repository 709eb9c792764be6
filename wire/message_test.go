package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestMessageLen(t *testing.T) {
	for raw, want := range map[string]int{"": 0, "\x01\x00\x00": 0, "\x01\x00\x00\x05": 9, "\x0b\x01\x00\x02xyz": 4 + 0x10002} {
		if got := MessageLen([]byte(raw)); got != want {
			t.Errorf("%x: %d, want %d", raw, got, want)
		}
	}
}

// A type without a grammar is carried whole.
func TestUnknownMessage(t *testing.T) {
	raw := []byte{200, 0, 0, 2, 7, 8}
	m, err := checkLaws(t, raw, Context{})
	if o, ok := m.(*Opaque); err != nil || !ok || o.MsgType != 200 || !bytes.Equal(o.Body, []byte{7, 8}) {
		t.Errorf("%+v, %v", m, err)
	}
	if HandshakeType(200).Known() || !TypeFinished.Known() {
		t.Error("Known")
	}
}

// A message that held another one before is as good as a new one, also where
// the other followed another version's grammar.
func TestReuse(t *testing.T) {
	for _, message := range goldenNames() {
		list := goldens(t, message)
		reused := NewMessage(HandshakeType(list[0].raw[0]))
		random := rand.New(rand.NewPCG(1, 2))
		for range 4 * len(list) {
			g := list[random.IntN(len(list))]
			checkReuse(t, reused, g.body(), g.ctx)
		}
	}
}

// Parsed messages alias their bytes, and nothing of a reader is kept: decoding
// in between must not change an earlier message.
func TestDecodeKeepsNothing(t *testing.T) {
	g := find(t, "ClientHello", "rfc8448-3")
	var m ClientHello
	if err := Decode(&m, g.body(), g.ctx, nil); err != nil {
		t.Fatal(err)
	}
	for _, other := range goldens(t, "ServerHello") {
		if err := Decode(new(ServerHello), other.body(), other.ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(AppendMessage(nil, &m, g.ctx), g.raw) {
		t.Error("the message changed")
	}
}

func TestRefs(t *testing.T) {
	for _, c := range []struct {
		t    HandshakeType
		v    Version
		want string
	}{
		{TypeCertificate, TLS13, "RFC 8446 §4.4.2"},
		{TypeCertificate, TLS12, "RFC 5246 §7.4.2"},
		{TypeKeyUpdate, TLS12, "RFC 8446 §4.6.3"},
		{TypeServerKeyExchange, TLS13, "RFC 5246 §7.4.3"},
		{200, TLS13, ""},
	} {
		if got := c.t.Ref(c.v); got != c.want {
			t.Errorf("%v in %v: %q", c.t, c.v, got)
		}
	}
	for ht := range messages {
		if ht.Ref(TLS12) == "" || ht.Ref(TLS13) == "" {
			t.Errorf("%v has no reference", ht)
		}
	}
}
