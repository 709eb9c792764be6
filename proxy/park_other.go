//go:build !linux

package proxy

import (
	"net"
	"sync/atomic"
	"time"
)

// A lot is empty on this system: each way keeps its goroutine.
type lot struct {
	quiet time.Duration
	count atomic.Int64
}

func parks(net.Conn) bool { return false }

func (t *lot) arm(*Proxy, net.Conn, uint64) bool { return false }

func (t *lot) close() {}
