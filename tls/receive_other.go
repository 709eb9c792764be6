//go:build !unix

package tls

import (
	"net"
	"syscall"
)

// Elsewhere sockets do not tell when they are ready; Read waits with a small
// buffer.
func rawConn(net.Conn) syscall.RawConn { return nil }

type (
	reader    struct{}
	transfers struct{}
)

func (c *Conn) receiveReady() error { panic("tls: no raw connections on this system") }

func (c *Conn) writeReady() error { return c.writeWhole() }

func (c *Conn) measure() {}

// isReset: here every call on a connection that was reset is told of it.
func isReset(error) bool { return false }
