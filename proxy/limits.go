package proxy

import (
	"net"
	"net/netip"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// limits turn connections away. What is counted stays through reloads.
type limits struct {
	most, mostOfPeer, memory atomic.Int64 // mostOfPeer and memory are 0 for none
	open                     atomic.Int64

	mutex sync.Mutex
	peers map[netip.Addr]int

	measured atomic.Int64 // when the memory was, in Unix nanoseconds
	full     atomic.Bool  // it was
}

func (m *limits) set(c config.Limits) {
	room, _ := c.Room()
	m.most.Store(int64(room))
	m.mostOfPeer.Store(int64(c.PerAddress))
	m.memory.Store(int64(c.Memory))
}

// enter counts a connection in; leave counts it out. A reason says that there is no room.
func (m *limits) enter() event.Reason {
	if m.open.Add(1) > m.most.Load() {
		m.open.Add(-1)
		return event.TooMany
	}
	if m.tight() {
		m.open.Add(-1)
		return event.NoMemory
	}
	return ""
}

func (m *limits) leave() { m.open.Add(-1) }

// crowded reports that room runs short: three quarters of the connections are taken, or the memory budget is.
func (m *limits) crowded() bool {
	return 4*m.open.Load() >= 3*m.most.Load() || m.tight()
}

// between is how long a measurement of the memory holds.
const between = 100 * time.Millisecond

// tight reports that the memory budget is used up. It is measured only when connections come.
func (m *limits) tight() bool {
	budget := m.memory.Load()
	if budget == 0 {
		return false
	}
	now, last := time.Now().UnixNano(), m.measured.Load()
	if now-last > int64(between) && m.measured.CompareAndSwap(last, now) {
		m.full.Store(used() > uint64(budget))
	}
	return m.full.Load()
}

// used is what the process has from the system and has not given back, in bytes.
func used() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64() - samples[2].Value.Uint64()
}

// enterOf counts a connection of a peer in, and reports whether there was room. key is valid
// where it was counted.
func (m *limits) enterOf(peer net.Addr) (key netip.Addr, ok bool) {
	most := m.mostOfPeer.Load()
	if most == 0 {
		return key, true
	}
	if key = peerKey(peer); !key.IsValid() {
		return key, true
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if int64(m.peers[key]) >= most {
		return netip.Addr{}, false
	}
	if m.peers == nil {
		m.peers = make(map[netip.Addr]int)
	}
	m.peers[key]++
	return key, true
}

func (m *limits) leaveOf(key netip.Addr) {
	if !key.IsValid() {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.peers[key]--; m.peers[key] <= 0 {
		delete(m.peers, key)
	}
}

// peerKey is an IPv4 address, or the /64 that an IPv6 address is in: a site has at least that.
func peerKey(peer net.Addr) netip.Addr {
	ip := addrOf(peer)
	if ip.Is6() {
		prefix, _ := ip.Prefix(64)
		return prefix.Addr()
	}
	return ip
}

// addrOf is the IP address of a peer; the zero value where it has none.
func addrOf(peer net.Addr) netip.Addr {
	if tcp, is := peer.(*net.TCPAddr); is {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
