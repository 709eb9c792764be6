package proxy

import (
	"encoding/json"
	"sync"
)

// shared are parts that plans have in common, such as certificates: what is opened for one
// configuration goes on for the next one that says the same.
type shared struct {
	mutex sync.Mutex
	parts map[string]*part
}

type part struct {
	value any
	close func()
	users int
}

// share returns the part that of describes, which open makes where there is none. release
// gives it back; the last one closes it. anew reports that it was made.
func share[T any](s *shared, of any, open func() (value T, close func(), err error)) (value T, release func(), anew bool, err error) {
	text, err := json.Marshal(of)
	if err != nil {
		return value, nil, false, err
	}
	key := string(text)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.parts[key]
	if one == nil {
		v, end, err := open()
		if err != nil {
			return value, nil, false, err
		}
		if s.parts == nil {
			s.parts = make(map[string]*part)
		}
		one, anew = &part{value: v, close: end}, true
		s.parts[key] = one
	}
	one.users++
	return one.value.(T), func() { s.release(key) }, anew, nil
}

func (s *shared) release(key string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.parts[key]
	if one.users--; one.users == 0 {
		delete(s.parts, key)
		one.close()
	}
}
