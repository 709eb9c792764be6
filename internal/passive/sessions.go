package passive

import (
	"crypto/sha256"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// maxSessions is how many sessions are kept; of more, the oldest are forgotten.
const maxSessions = 1 << 16

// Sessions is what earlier connections left behind: the secret that each session ID and
// ticket stands for. The zero value is empty. It is safe for concurrent use.
type Sessions struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]left
	order [][sha256.Size]byte // oldest first
}

// left is one session: the master secret up to TLS 1.2, the PSK of a ticket in TLS 1.3.
type left struct {
	secret []byte
	suite  *suite.Suite
}

// put keeps a session by its ID or ticket.
func (s *Sessions) put(id []byte, x left) {
	if s == nil || len(id) == 0 || len(x.secret) == 0 {
		return
	}
	key := sha256.Sum256(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[[sha256.Size]byte]left{}
	}
	if _, again := s.known[key]; !again {
		s.order = append(s.order, key)
	}
	s.known[key] = x
	if len(s.order) > maxSessions {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

// get finds a session by its ID or ticket.
func (s *Sessions) get(id []byte) (x left, found bool) {
	if s == nil || len(id) == 0 {
		return x, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, found = s.known[sha256.Sum256(id)]
	return x, found
}
