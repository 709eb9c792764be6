//go:build unix

package proxy

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// A hand-over is a talk on a unix socket between a process that listens and one that is to
// take its place. The new one asks for the sockets one by one, and gets each as a descriptor
// beside its name. Then it asks for the ticket keys, which stand on no disk. Once it accepts on all of them, it says so. Only then does the old one stop
// to accept. So at each moment somebody accepts, and what waits in a socket's queue waits on.
const (
	askNext   = 'n'
	askKeys   = 'k'
	sayReady  = 'r'
	sayLeaves = 'b'

	// handoverPatience bounds each step.
	handoverPatience = 10 * time.Second
	// nameMost bounds what is said of one socket, and of ticket keys.
	nameMost = 4096
)

// offered is what is said of one socket. The last one has no name.
type offered struct {
	Name string `json:"name,omitempty"`
}

// handover is this process's part: what it took from the one before, and what it offers the next.
type handover struct {
	from     *net.UnixConn // the old process, which waits for us; nil without
	offer    *net.UnixListener
	at, path string      // where the offer is, and where it will be
	given    atomic.Bool // another process has the sockets
}

// takeOver gets the sockets of the process that listens at path, into from.
func (p *Proxy) takeOver(path, runsAs string, from inherited) error {
	if path == "" {
		return errors.New("proxy: process.handover names no socket, so there is nobody to take over from")
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("proxy: no process hands its sockets over at %s: %w", path, plainError(err))
	}
	p.handover = &handover{from: conn}
	if _, err := checkPeer(conn, runsAs); err != nil {
		return fmt.Errorf("proxy: %s: %w", path, err)
	}
	for {
		name, l, err := nextSocket(conn)
		if err != nil {
			return fmt.Errorf("proxy: the sockets at %s cannot be taken over: %w", path, err)
		}
		if l == nil {
			p.inherited, err = nextKeys(conn)
			return err
		}
		from[name] = append(from[name], l)
	}
}

func nextSocket(conn *net.UnixConn) (name string, l net.Listener, err error) {
	conn.SetDeadline(time.Now().Add(handoverPatience))
	if _, err := conn.Write([]byte{askNext}); err != nil {
		return "", nil, err
	}
	text, room := make([]byte, nameMost), make([]byte, syscall.CmsgSpace(4*4))
	n, oobn, _, _, err := conn.ReadMsgUnix(text, room)
	if err != nil {
		return "", nil, err
	}
	files := received(room[:oobn])
	defer func() {
		for _, fd := range files {
			syscall.Close(fd)
		}
	}()
	var o offered
	if err := json.Unmarshal(text[:n], &o); err != nil {
		return "", nil, err
	}
	if o.Name == "" {
		return "", nil, nil
	}
	if len(files) != 1 {
		return "", nil, fmt.Errorf("%q came with %d descriptors", o.Name, len(files))
	}
	file := os.NewFile(uintptr(files[0]), o.Name)
	files = nil
	defer file.Close()
	l, err = net.FileListener(file)
	return o.Name, l, err
}

// nextKeys are the ticket keys of the process before, behind their length in two bytes; none
// where both find them in a store.
func nextKeys(conn *net.UnixConn) ([]byte, error) {
	var size [2]byte
	_, err := conn.Write([]byte{askKeys})
	if err == nil {
		_, err = io.ReadFull(conn, size[:])
	}
	n := int(binary.BigEndian.Uint16(size[:]))
	if n > nameMost {
		err = errors.New("the ticket keys are too many")
	}
	if err != nil {
		return nil, fmt.Errorf("proxy: the ticket keys cannot be taken over: %w", err)
	}
	keys := make([]byte, n)
	_, err = io.ReadFull(conn, keys)
	return keys, err
}

func (p *Proxy) sendKeys(conn *net.UnixConn) error {
	p.mutex.Lock()
	sessions := p.plan.sessions
	p.mutex.Unlock()
	var keys []byte
	if sessions != nil {
		keys = sessions.Export()
	}
	defer clear(keys)
	if _, err := conn.Write(binary.BigEndian.AppendUint16(nil, uint16(len(keys)))); err != nil {
		return err
	}
	_, err := conn.Write(keys)
	return err
}

// received are the descriptors that came with a message.
func received(oob []byte) (files []int) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		if fds, err := syscall.ParseUnixRights(&m); err == nil {
			for _, fd := range fds {
				syscall.CloseOnExec(fd)
			}
			files = append(files, fds...)
		}
	}
	return files
}

// offerHandover prepares to let another process take over, at path. It does so from publish on.
func (p *Proxy) offerHandover(path, runsAs string) error {
	// Under another name first: at each moment one process answers at path.
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("proxy: process.handover: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return fmt.Errorf("proxy: process.handover: %s cannot be listened on: %w", path, plainError(err))
	}
	l.SetUnlinkOnClose(false)
	if p.handover == nil {
		p.handover = new(handover)
	}
	p.handover.offer, p.handover.path, p.handover.at = l, path, fresh
	if err := os.Chmod(fresh, 0o600); err != nil {
		return fmt.Errorf("proxy: process.handover: %w", err)
	}
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			_ = p.handOver(conn, runsAs) // the other process tells what went wrong
		}
	}()
	return nil
}

// publish tells the old process, if there is one, that this one accepts, and offers to hand over in turn.
func (h *handover) publish() error {
	if h == nil {
		return nil
	}
	if err := h.ready(); err != nil {
		return err
	}
	if h.offer == nil {
		return nil
	}
	if err := os.Rename(h.at, h.path); err != nil {
		return fmt.Errorf("proxy: process.handover: %w", err)
	}
	h.at = h.path
	return nil
}

// ready tells the old process that this one accepts, and waits until that one does not any more.
func (h *handover) ready() error {
	if h.from == nil {
		return nil
	}
	defer h.from.Close()
	h.from.SetDeadline(time.Now().Add(handoverPatience))
	_, err := h.from.Write([]byte{sayReady})
	if err == nil {
		var b [1]byte
		_, err = io.ReadFull(h.from, b[:])
	}
	if err != nil {
		return fmt.Errorf("proxy: the old process did not say that it stops: %w", err)
	}
	return nil
}

// close ends the offer.
func (h *handover) close() {
	if h == nil {
		return
	}
	if h.from != nil {
		h.from.Close()
	}
	if h.offer != nil {
		h.offer.Close()
		if !h.given.Load() {
			os.Remove(h.at)
		}
	}
}

// handOver serves one process that wants to take over.
func (p *Proxy) handOver(conn *net.UnixConn, runsAs string) error {
	defer conn.Close()
	pid, err := checkPeer(conn, runsAs)
	if err != nil {
		return err
	}
	left := p.listeners()
	var ask [1]byte
	for {
		conn.SetDeadline(time.Now().Add(handoverPatience))
		if _, err := io.ReadFull(conn, ask[:]); err != nil {
			return err
		}
		var err error
		switch {
		case ask[0] == askNext && len(left) == 0:
			_, err = conn.Write([]byte("{}"))
		case ask[0] == askNext:
			err = left[0].send(conn)
			left = left[1:]
		case ask[0] == askKeys && len(left) == 0:
			err = p.sendKeys(conn)
		case ask[0] == sayReady && len(left) == 0:
			p.giveUpSockets()
			if p.options.HandedOver != nil {
				p.options.HandedOver(pid)
			}
			_, err = conn.Write([]byte{sayLeaves})
			go p.stopWithinGrace(context.Background())
			return err
		default:
			err = fmt.Errorf("%q is no word of a hand-over", ask)
		}
		if err != nil {
			return err
		}
	}
}

// listening is a listener with the address that the configuration writes.
type listening struct {
	name string
	net.Listener
}

func (p *Proxy) listeners() (list []listening) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for name, s := range p.sockets {
		for _, l := range s.listeners {
			list = append(list, listening{name, l})
		}
	}
	if p.operators != nil {
		list = append(list, listening{forOperators + p.plan.config.Admin.Listen, p.operators})
	}
	return list
}

func (l listening) send(conn *net.UnixConn) error {
	text, err := json.Marshal(offered{Name: l.name})
	if err != nil {
		return err
	}
	raw, err := l.Listener.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { // the listener keeps its descriptor, and its mode
		_, _, failed = conn.WriteMsgUnix(text, syscall.UnixRights(int(fd)), nil)
	})
	return firstOf(err, failed)
}

// giveUpSockets stops to accept, and leaves the files of unix sockets to the other process.
func (p *Proxy) giveUpSockets() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.handover.given.Store(true)
	leave := func(l net.Listener) {
		if unix, is := l.(*net.UnixListener); is {
			unix.SetUnlinkOnClose(false)
		}
	}
	leave(p.operators)
	for _, s := range p.sockets {
		for _, l := range s.listeners {
			leave(l)
		}
	}
	closeSockets(p.sockets)
}

// checkPeer refuses a process of another user: who gets the sockets, gets the connections.
// root may take over from any user, and from root the user that the process runs as.
func checkPeer(conn *net.UnixConn, runsAs string) (pid int, err error) {
	uid, pid, err := peerUser(conn)
	if err != nil {
		return 0, err
	}
	if uid == uint32(os.Geteuid()) || uid == 0 {
		return pid, nil
	}
	if u, err := user.Lookup(runsAs); runsAs != "" && err == nil && u.Uid == strconv.Itoa(int(uid)) {
		return pid, nil
	}
	return 0, fmt.Errorf("the process there runs as user %d, which is neither this one's user nor root", uid)
}
