package handshake

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// What goes back to the pool holds no secrets, and nothing that a peer has
// blown up.
func TestRelease(t *testing.T) {
	for _, size := range []int{1, 1000} {
		s := New(wire.Server, &Config{}, nil, nil, new(Result))
		s.hello.Extensions = make(wire.Extensions, size)
		s.Offer.Shares = make([]wire.KeyShareEntry, size)
		s.master[0], s.clientHS[0], s.keyBlock[0] = 1, 1, 1
		shared := append(s.shared, 1)
		s.shared = shared
		if fat := s.fat(); fat != (size > 256) {
			t.Errorf("%d extensions: fat %v", size, fat)
		}
		out := append(s.out, 1, 2, 3)
		s.out = out
		s.share = []byte{1}
		blobs := [][]byte{{1, 2, 3}, {1, 2, 3}}
		for i, r := range []*Room{s.Sealing(), s.Opening()} {
			r.Blob, r.Session.Secret = blobs[i][:0], blobs[i] // the secret is a part of what the session was read from
		}
		s.Release()
		if blobs[0][2]|blobs[1][2] != 0 || s.sealing.Session.Secret != nil || s.opening.Session.Secret != nil {
			t.Error("a ticket's secret is left")
		}
		if s.master[0]|s.clientHS[0]|shared[0]|s.keyBlock[0] != 0 || len(s.shared) != 0 || out[0] != 0 || s.Config != nil || s.Result != nil {
			t.Error("something is left")
		}
	}
}

// The memory that tickets are opened in serves one session at a time, and none that a peer
// has blown up.
func TestRoomsOfTickets(t *testing.T) {
	s := New(wire.Server, &Config{}, nil, nil, new(Result))
	first := s.Opening()
	if s.Opening() != first || s.Sealing() == first {
		t.Error("there is not one room for opening, and another for sealing")
	}
	if s.resumed = &first.Session; s.Opening() == first {
		t.Error("a session that is taken up would be overwritten")
	}
	s.resumed = nil
	first.Blob = make([]byte, 1<<17)
	if !s.fat() {
		t.Error("128 KB stay for the next handshake")
	}
	s.Release()
}

// The inner hello does not outlive its handshake.
func TestReleaseForgetsTheInnerHello(t *testing.T) {
	s := new(State)
	raw, message := []byte("inner, sent"), []byte("inner, received")
	s.ech = &ech{concealing: concealing{raw: raw}, opening: opening{message: message}}
	s.Release()
	for _, b := range [][]byte{raw, message} {
		if len(bytes.Trim(b, "\x00")) > 0 {
			t.Errorf("%q is left", b)
		}
	}
}
