package proxy

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A notifier tells the program that runs this process, which is systemd as a rule, how it goes.
// sd_notify(3). A nil one tells nobody.
type notifier struct {
	conn *net.UnixConn

	mutex sync.Mutex
	over  bool          // another process is told of now
	stop  chan struct{} // of the watchdog
	tasks sync.WaitGroup
}

// newNotifier returns nil where nobody listens.
func newNotifier() (*notifier, error) {
	where := os.Getenv("NOTIFY_SOCKET")
	if where == "" {
		return nil, nil
	}
	if strings.HasPrefix(where, "@") { // of Linux: a name without a file
		where = "\x00" + where[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: where, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return &notifier{conn: conn, stop: make(chan struct{})}, nil
}

// say sends assignments, such as READY=1. What is lost is lost: nothing depends on it here.
func (n *notifier) say(lines ...string) {
	if n == nil {
		return
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if !n.over {
		_, _ = n.conn.Write([]byte(strings.Join(lines, "\n")))
	}
}

func (n *notifier) ready() { n.say("READY=1", "STATUS=serving") }
func (n *notifier) stopping() {
	n.say("STOPPING=1", "STATUS=stopping: connections that are open may end by themselves")
}

// reloading tells that a reload begins, which ready ends. systemd wants the time of its clock.
func (n *notifier) reloading() {
	n.say("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic().Microseconds(), 10))
}

// follow says which process is the service from now on. Nothing is said after that.
func (n *notifier) follow(pid int) {
	if n == nil || pid <= 0 {
		return
	}
	n.say("WATCHDOG=1") // the other's first counts once it is the main process, and may take its time
	n.say("MAINPID=" + strconv.Itoa(pid))
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.over = true
}

// watch says that the process lives, twice in the time that the watchdog allows, until close.
// The environment of a successor names the process before.
func (n *notifier) watch(successor bool) {
	if n == nil {
		return
	}
	limit, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if err != nil || limit <= 0 || !successor && pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return
	}
	n.tasks.Go(func() {
		tick := time.NewTicker(max(time.Duration(limit)*time.Microsecond/2, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				n.say("WATCHDOG=1")
			case <-n.stop:
				return
			}
		}
	})
}

func (n *notifier) close() {
	if n == nil {
		return
	}
	close(n.stop)
	n.tasks.Wait()
	n.conn.Close()
}
