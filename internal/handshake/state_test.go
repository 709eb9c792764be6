package handshake

import (
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
		s.Release()
		if s.master[0]|s.clientHS[0]|shared[0]|s.keyBlock[0] != 0 || len(s.shared) != 0 || out[0] != 0 || s.Config != nil || s.Result != nil {
			t.Error("something is left")
		}
	}
}
