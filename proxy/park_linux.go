package proxy

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// A lot watches the sockets of what is parked: an epoll instance, and one goroutine that
// waits for it as for any other file, so that no thread stands still. Both begin with the
// first that parks.
type lot struct {
	quiet time.Duration // 0 for the usual
	count atomic.Int64  // what is parked

	mutex  sync.Mutex
	file   *os.File        // nil before the first use
	raw    syscall.RawConn // of file
	closed bool            // or it has failed: nothing is parked any more
	done   chan struct{}   // closed when the goroutine has ended
}

// parks reports that conn can be parked: it is a socket, or TLS straight on one. Anything else
// may hold bytes that the socket does not show.
func parks(conn net.Conn) bool {
	if over, is := conn.(*tls.Conn); is {
		conn = over.NetConn()
	}
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// arm has p.arrived be called with what, once the socket has something to read or was hung up. It
// reports false where that is not possible, such as for want of descriptors.
func (t *lot) arm(p *Proxy, socket net.Conn, what uint64) (armed bool) {
	watch := t.open(p)
	raw, err := socket.(syscall.Conn).SyscallConn()
	if watch == nil || err != nil {
		return false
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: int32(what), Pad: int32(what >> 32)}
	_ = watch.Control(func(own uintptr) { // neither of the two can be closed meanwhile
		_ = raw.Control(func(fd uintptr) {
			err := syscall.EpollCtl(int(own), syscall.EPOLL_CTL_MOD, int(fd), &event)
			if err == syscall.ENOENT { // for the first time; the kernel forgets what is closed
				err = syscall.EpollCtl(int(own), syscall.EPOLL_CTL_ADD, int(fd), &event)
			}
			armed = err == nil
		})
	})
	return armed
}

// open begins to watch, unless somebody has. It returns nil where that is not possible.
func (t *lot) open(p *Proxy) syscall.RawConn {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.closed || t.raw != nil {
		return t.raw
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // so that package os waits for it without a thread
		syscall.Close(fd)
		return nil
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil
	}
	t.file, t.raw, t.done = file, raw, make(chan struct{})
	go t.watch(p, raw)
	return raw
}

// batch is how many sockets are told of at once.
const batch = 128

// watch tells of sockets until the lot is closed.
func (t *lot) watch(p *Proxy, raw syscall.RawConn) {
	defer close(t.done)
	events := make([]syscall.EpollEvent, batch)
	for {
		n, failed := 0, error(nil)
		err := raw.Read(func(fd uintptr) bool {
			n, failed = syscall.EpollWait(int(fd), events, 0)
			for failed == syscall.EINTR {
				n, failed = syscall.EpollWait(int(fd), events, 0)
			}
			return n != 0 || failed != nil
		})
		if err != nil || failed != nil {
			t.giveUp(p)
			return
		}
		for _, e := range events[:n] {
			p.arrived(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32)
		}
	}
}

// giveUp parks nothing any more, and wakes what is parked: nobody would tell it.
func (t *lot) giveUp(p *Proxy) {
	t.mutex.Lock()
	t.raw, t.closed = nil, true
	t.mutex.Unlock()
	for _, l := range p.links.all() {
		l.wakeAll()
	}
}

// close ends the watching. Nothing is parked then.
func (t *lot) close() {
	t.mutex.Lock()
	file := t.file
	t.raw, t.file, t.closed = nil, nil, true
	t.mutex.Unlock()
	if file != nil {
		file.Close()
		<-t.done
	}
}
