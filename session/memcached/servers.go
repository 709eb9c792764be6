package memcached

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/vitrine-tls/vitrine/session/internal/guard"
)

// again is how old what a name resolves to may be before it is looked up again.
const again = 30 * time.Second

// servers say which server has a key, and where that server is. Which one has it depends on the servers' names alone, and
// not on their order: members agree though their configurations list them differently.
type servers struct {
	names   []string // host:port
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	changed func() // a name leads elsewhere now

	looking sync.WaitGroup
	mu      sync.Mutex
	places  map[string]*place
}

// A place is what a name resolved to.
type place struct {
	addrs   []netip.Addr // sorted, so that members try them in the same order
	used    netip.Addr   // the last one that was connected to
	changes int
	when    time.Time // of the last look; zero after a failure to connect
	looking bool
}

func newServers(hosts []string) (*servers, error) {
	s := &servers{places: map[string]*place{}, lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}}
	for _, host := range hosts {
		if host == "" {
			return nil, errors.New("memcached: there is an empty address among those of the servers")
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		if host = strings.ToLower(host); s.places[host] != nil {
			return nil, fmt.Errorf("memcached: %q is there twice", host)
		}
		s.names = append(s.names, host)
		s.places[host] = &place{}
	}
	return s, nil
}

// address is the name of a server, which is resolved where a connection is made, and how often it has led elsewhere: connections
// of before have another address, and are not used again.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

const mark = "#" // between the two

func (s *servers) address(name string) address {
	s.mu.Lock()
	defer s.mu.Unlock()
	return address(name + mark + strconv.Itoa(s.places[name].changes))
}

var _ memcache.ServerSelector = (*servers)(nil)

// PickServer is rendezvous hashing: with one server more or less no key moves between the others.
func (s *servers) PickServer(key string) (net.Addr, error) {
	best, most := "", uint64(0)
	for _, name := range s.names {
		sum := sha256.Sum256([]byte(name + "\x00" + key))
		if score := binary.BigEndian.Uint64(sum[:]); best == "" || score > most {
			best, most = name, score
		}
	}
	s.keepFresh(best)
	return s.address(best), nil
}

func (s *servers) Each(f func(net.Addr) error) error {
	for _, name := range s.names {
		if err := f(s.address(name)); err != nil {
			return err
		}
	}
	return nil
}

// keepFresh looks a name up again, without the caller, when that is due. If it leads elsewhere, the connections that are
// there are given up.
func (s *servers) keepFresh(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[name]
	if p.looking || len(p.addrs) == 0 || time.Since(p.when) < again {
		return
	}
	p.looking = true
	s.looking.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if s.look(ctx, name) && s.changed != nil {
			s.changed()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		p.looking, p.when = false, time.Now() // a resolver that fails is not asked by each call
	})
}

// look resolves a name and reports whether it leads elsewhere now. What was known stays where that fails.
func (s *servers) look(ctx context.Context, name string) (changed bool) {
	host, _, _ := net.SplitHostPort(name)
	found, err := s.lookup(ctx, host)
	if err != nil || len(found) == 0 {
		return false
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortFunc(found, netip.Addr.Compare)
	found = slices.Compact(found)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.places[name]
	// Half of an answer, as resolvers give now and then, gives up no connection.
	if changed = p.used.IsValid() && !slices.Contains(found, p.used); changed {
		p.changes++
	}
	p.addrs, p.when = found, time.Now()
	return changed
}

// dial connects to the first address of a server that answers.
func (s *servers) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, _ := strings.Cut(address, mark)
	addrs := s.known(name)
	if len(addrs) == 0 {
		s.look(ctx, name)
		if addrs = s.known(name); len(addrs) == 0 {
			return nil, fmt.Errorf("%q does not resolve", name)
		}
	}
	_, service, _ := net.SplitHostPort(name)
	var errs []error
	for i, addr := range addrs {
		conn, err := dialOne(ctx, network, net.JoinHostPort(addr.String(), service), len(addrs)-i)
		if err == nil {
			s.mu.Lock()
			s.places[name].used = addr
			s.mu.Unlock()
			return &guard.Conn{Conn: conn, In: &guard.Scanner{Line: line}}, nil
		}
		errs = append(errs, err)
	}
	s.mu.Lock()
	s.places[name].when = time.Time{} // the next call has the name looked up
	s.mu.Unlock()
	return nil, errors.Join(errs...)
}

// dialOne leaves their share of the time to the addresses after this one.
func dialOne(ctx context.Context, network, address string, shares int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(shares))
		defer cancel()
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (s *servers) known(name string) []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.places[name]; p != nil {
		return p.addrs
	}
	return nil
}
