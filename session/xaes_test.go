package session

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// The vectors of C2SP's XAES-256-GCM: https://c2sp.org/XAES-256-GCM
func TestXAES(t *testing.T) {
	const nonce, text = "ABCDEFGHIJKLMNOPQRSTUVWX", "XAES-256-GCM"
	for _, v := range []struct {
		key       byte
		aad, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		x := newXAES(bytes.Repeat([]byte{v.key}, 32))
		sealed, _ := hex.DecodeString(v.want)
		got, err := x.open(nil, append([]byte(nonce), sealed...), []byte(v.aad))
		if err != nil || string(got) != text {
			t.Errorf("key %d: %q, %v", v.key, got, err)
		}
	}
}

// A ticket as it is made of a secret: the format does not change unseen.
func TestATicketOfBefore(t *testing.T) {
	k := NewTicketKeys(nil)
	k.Set([][32]byte{{1}})
	ticket, _ := hex.DecodeString("a21d56c2ff5945c00d8febae255a1fc26dd308a334d61be111504577a25eceebb73143189deb84e326a488fa094b9b8b81d8a7599544c0ea5f9e3014")
	if got, err := k.Open(nil, ticket, []byte("aad")); err != nil || string(got) != "blob" {
		t.Errorf("%q, %v; one of now is %x", got, err, seal(t, k, "blob", "aad"))
	}
	if _, err := k.Open(nil, ticket[:nameSize+messageSize-1], []byte("aad")); !errors.Is(err, errNotATicket) {
		t.Error(err)
	}
}

// A subkey seals no more than its random nonces allow; then there is another, under the same key.
func TestASubkeyEnds(t *testing.T) {
	for name, given := range map[string]bool{"own": false, "given": true} {
		k := NewTicketKeys(nil)
		if given {
			k.Set([][32]byte{{1}})
		}
		first := seal(t, k, "blob", "")
		k.keys[0].xaes.own.seals.Store(maxSeals - 1)
		salt := func(ticket []byte) string { return string(ticket[:nameSize+saltSize]) }
		if last := seal(t, k, "blob", ""); salt(first) != salt(last) {
			t.Errorf("%s: replaced one ticket early", name)
		}
		next := seal(t, k, "blob", "")
		if salt(first) == salt(next) || !bytes.Equal(first[:nameSize], next[:nameSize]) {
			t.Errorf("%s: a subkey seals beyond its limit, or the key is another", name)
		}
		for _, ticket := range [][]byte{first, next} {
			if _, err := k.Open(nil, ticket, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := k.Keys(); len(got) != 1 || got[0].Sealed != 3 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A schedule that is given again counts on: the subkey is the same.
func TestASubkeyStays(t *testing.T) {
	k := NewTicketKeys(nil)
	k.Set([][32]byte{{1}})
	before := seal(t, k, "blob", "")
	k.Set([][32]byte{{2}, {1}})
	k.Set([][32]byte{{1}, {2}})
	if after := seal(t, k, "blob", ""); !bytes.Equal(before[:nameSize+saltSize], after[:nameSize+saltSize]) {
		t.Error("another subkey seals")
	}
}

// BenchmarkTicket is a ticket of this process, and one of another.
func BenchmarkTicket(b *testing.B) {
	for name, other := range map[string]bool{"own": false, "another's": true} {
		b.Run(name, func(b *testing.B) {
			k, opener := NewTicketKeys(nil), NewTicketKeys(nil)
			k.Set([][32]byte{{1}})
			opener.Set([][32]byte{{1}})
			if !other {
				opener = k
			}
			blob := make([]byte, 200)
			b.ReportAllocs()
			for b.Loop() {
				ticket, _ := k.Seal(nil, blob, nil)
				opener.Open(nil, ticket, nil)
			}
		})
	}
}
