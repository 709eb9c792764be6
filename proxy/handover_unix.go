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
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A hand-over is a talk on a unix socket between a process that listens and one that is to
// take its place. The new one asks for the sockets one by one, and gets each as a descriptor
// beside its name. Then it asks for the ticket keys, which stand on no disk. Once it accepts on
// all of the sockets, it says so. Only when the old one could answer that does it stop to accept.
// So at each moment somebody accepts, and what waits in a socket's queue waits on: a new process
// that has gone away is not left the sockets, and one that waits in vain for the answer goes on.
const (
	askNext    = 'n'
	askKeys    = 'k'
	sayReady   = 'r'
	sayLeaves  = 'b'
	sayChanged = 'c' // in place of the other: a reload has opened or closed sockets meanwhile

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
	runsAs   string      // the user that may take over too
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
	h := p.handover
	h.offer, h.path, h.at, h.runsAs = l, path, fresh, runsAs
	if err := os.Chmod(fresh, 0o600); err != nil {
		return fmt.Errorf("proxy: process.handover: %w", err)
	}
	return nil
}

// publish tells the old process, if there is one, that this one accepts, and offers to hand over
// in turn. An error means that this process must not serve. That something is wrong which serving
// does not depend on is told, because the old process has its sockets no more.
func (p *Proxy) publish() error {
	h := p.handover
	if h == nil {
		return nil
	}
	took, wrong := h.from != nil, error(nil)
	if took {
		if wrong = h.ready(); errors.Is(wrong, errChanged) {
			p.mutex.Lock()
			p.leaveFiles() // the old process listens on
			p.mutex.Unlock()
			return wrong
		}
		p.ownFiles()
	}
	if h.offer != nil {
		if err := os.Rename(h.at, h.path); err != nil && !took {
			return fmt.Errorf("proxy: process.handover: %w", err)
		} else if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("proxy: process.handover: nobody can take over from this process: %w", err))
		} else {
			h.at = h.path
		}
		go p.offerUntilClosed(h)
	}
	if took && p.options.TookOver != nil {
		p.options.TookOver(wrong)
	}
	return nil
}

func (p *Proxy) offerUntilClosed(h *handover) {
	for {
		conn, err := h.offer.AcceptUnix()
		if err != nil {
			return
		}
		_ = p.handOver(conn, h.runsAs) // the other process tells what went wrong
	}
}

var errChanged = errors.New("proxy: the old process has opened or closed sockets since this one got them; start another")

// ready tells the old process that this one accepts, and waits until that one stops to.
func (h *handover) ready() error {
	defer h.from.Close()
	h.from.SetDeadline(time.Now().Add(handoverPatience))
	var answer [1]byte
	_, err := h.from.Write([]byte{sayReady})
	if err == nil {
		_, err = io.ReadFull(h.from, answer[:])
	}
	switch {
	case err != nil:
		return fmt.Errorf("proxy: the old process did not say that it stops; end it if it still runs: %w", err)
	case answer[0] == sayChanged:
		return errChanged
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
	all := p.listeners()
	left := all
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
			if err := p.giveUpSockets(all, conn); err != nil {
				return err
			}
			if p.options.HandedOver != nil {
				p.options.HandedOver(pid)
			}
			go p.stopWithinGrace(context.Background())
			return nil
		default:
			err = fmt.Errorf("%q is not a word of a hand-over", ask)
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

func (p *Proxy) listeners() []listening {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.listenersHeld()
}

// listenersHeld wants the mutex held.
func (p *Proxy) listenersHeld() (list []listening) {
	for name, s := range p.sockets {
		for _, l := range s.listeners {
			list = append(list, listening{name, l})
		}
	}
	if p.operators != nil {
		list = append(list, listening{forOperators + p.operatorsAt, p.operators})
	}
	for _, source := range p.plan.sources {
		for at, l := range source.HTTPListeners() { // several sources may share one
			if one := (listening{forHTTP01 + at, l}); !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
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

// giveUpSockets tells the other process that this one stops to accept, and then does so. The files
// of unix sockets are left to the other. Where that one has gone, or has not got all the sockets
// that there are by now, nothing changes.
func (p *Proxy) giveUpSockets(given []listening, conn net.Conn) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := p.listenersHeld()
	for _, l := range now {
		if len(now) != len(given) || !slices.Contains(given, l) {
			_, err := conn.Write([]byte{sayChanged})
			return firstOf(err, errChanged)
		}
	}
	conn.SetDeadline(time.Now().Add(handoverPatience)) // a reload may have taken all of the last one
	if _, err := conn.Write([]byte{sayLeaves}); err != nil {
		return err
	}
	p.handover.given.Store(true)
	p.leaveFiles()
	closeSockets(p.sockets)
	for _, source := range p.plan.sources {
		source.LeaveHTTP()
	}
	return nil
}

// leaveFiles has the files of unix sockets stay when these are closed: another process listens there.
func (p *Proxy) leaveFiles() {
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
}

// ownFiles has the files of unix sockets that another process made go when these are closed: they are
// this one's from now on.
func (p *Proxy) ownFiles() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for name, s := range p.sockets {
		if !strings.HasPrefix(name, "unix:") { // systemd's are systemd's
			continue
		}
		for _, l := range s.listeners {
			if unix, is := l.(*net.UnixListener); is {
				unix.SetUnlinkOnClose(true)
			}
		}
	}
}

// checkPeer refuses a process of another user: with the sockets it would get the connections.
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
