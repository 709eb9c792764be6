package tls

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Close interrupts a Read and a Write that wait for a peer.
func TestCloseInterrupts(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (a, b net.Conn){
		"TCP": tcpPair, "pipe": pipePair,
	} {
		for what, wait := range map[string]func(*Conn) error{
			"Read":  func(c *Conn) error { _, err := c.Read(make([]byte, 1)); return err },
			"Write": func(c *Conn) error { return writeForever(c) },
		} {
			for _, closer := range []string{"client", "server"} {
				t.Run(name+"/"+what+"/"+closer, func(t *testing.T) {
					t.Parallel()
					a, b := pair(t)
					c, s := Client(a, testPKI().client()), Server(b, testPKI().server("ecdsa-p256"))
					if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
						t.Fatal(clientErr, serverErr)
					}
					conn := map[string]*Conn{"client": c, "server": s}[closer]
					time.AfterFunc(50*time.Millisecond, func() { conn.Close() })
					var err error
					within(t, 5*time.Second, what, func() { err = wait(conn) })
					if !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
						t.Errorf("%s: %v", what, err)
					}
					for _, f := range []func() error{
						func() error { _, err := conn.Read(make([]byte, 1)); return err },
						func() error { _, err := conn.Write(make([]byte, 1)); return err },
						conn.Close, func() error { return conn.KeyUpdate(false) },
					} {
						if f() == nil {
							t.Error("a method succeeds after Close")
						}
					}
				})
			}
		}
	}
}

func writeForever(c *Conn) error {
	for {
		if _, err := c.Write(make([]byte, 1<<16)); err != nil {
			return err
		}
	}
}

// All methods at once, from many goroutines, over and over: nothing races,
// hangs or panics, and no goroutine is left.
func TestMethodsAtOnce(t *testing.T) {
	before, _ := inside()
	for _, version := range bothVersions {
		for name, pair := range map[string]func(testing.TB) (a, b net.Conn){
			"TCP": tcpPair, "pipe": pipePair,
		} {
			t.Run(VersionName(version)+"/"+name, func(t *testing.T) {
				client, server := testPKI().client(), testPKI().server("ecdsa-p256")
				at(version, client, server)
				for range 5 {
					a, b := pair(t)
					c, s := Client(a, client), Server(b, server)
					within(t, 20*time.Second, "the crowd", func() { crowd(c, s) })
				}
			})
		}
	}
	for range 100 {
		if n, _ := inside(); n <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_, stacks := inside()
	t.Errorf("goroutines are left:\n%s", stacks)
}

// inside counts the goroutines in methods of a Conn.
func inside() (n int, stacks string) {
	buf := make([]byte, 4<<20)
	stacks = string(buf[:runtime.Stack(buf, true)])
	for _, one := range strings.Split(stacks, "\n\n") {
		if strings.Contains(one, "tls.(*Conn)") {
			n++
		}
	}
	return n, stacks
}

// crowd uses both ends at once and closes them in the middle of it.
func crowd(ends ...*Conn) {
	var all sync.WaitGroup
	for _, c := range ends {
		buf := func() []byte { return make([]byte, 5000) }
		for _, f := range []func() error{
			func() error { _, err := c.Read(buf()); return err },
			func() error { _, err := c.Read(buf()[:7]); return err },
			func() error { _, err := c.Write(buf()); return err },
			func() error { _, err := c.Write(buf()[:1]); return err },
			func() error { time.Sleep(time.Millisecond); return c.KeyUpdate(true) },
			func() error { time.Sleep(time.Millisecond); return c.KeyUpdate(false) },
			func() error { c.ConnectionState(); c.State(); return c.Handshake() },
			func() error { c.ChannelBinding("tls-exporter"); return c.SetDeadline(time.Now().Add(time.Minute)) },
		} {
			all.Go(func() {
				for !c.flags.has(closed) && f() == nil {
				}
			})
		}
		all.Go(func() {
			time.Sleep(30 * time.Millisecond)
			c.CloseWrite()
			time.Sleep(10 * time.Millisecond)
			c.Close()
		})
	}
	all.Wait()
}

// A Config serves many connections at once, while its ticket keys change.
func TestConfigIsShared(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	client.ClientSessionCache = NewLRUClientSessionCache(0)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				c, s, clientErr, serverErr := connectInMemory(client, server)
				if clientErr != nil || serverErr != nil {
					t.Error(clientErr, serverErr)
				}
				s.Write([]byte{1})
				c.Read(make([]byte, 1))
				c.Close()
				s.Close()
			}
			server.SetSessionTicketKeys([][32]byte{{byte(i)}})
			server.Clone()
		})
	}
	all.Wait()
}

// A reader that has to answer does not wait for room to send: both sides would, and
// neither would make any.
func TestAnswersDoNotBlockReading(t *testing.T) {
	a, b := pipePair(t)
	c, s := Client(a, testPKI().client()), Server(b, testPKI().server("ecdsa-p256"))
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	var all sync.WaitGroup
	for _, conn := range []*Conn{c, s} {
		go func() {
			for {
				if _, err := conn.Read(make([]byte, 1)); err != nil {
					if !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("the %v reads: %v", conn.role, err)
					}
					return
				}
			}
		}()
		all.Go(func() {
			for range 200 {
				if err := conn.KeyUpdate(true); err != nil {
					t.Error(err)
				}
				if _, err := conn.Write([]byte{1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	within(t, 20*time.Second, "two sides that ask each other for new keys", all.Wait)
	a.Close()
	b.Close()
}
