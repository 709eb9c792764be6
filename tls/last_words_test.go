package tls

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Whoever learns from Read that the connection has failed may close it at once: the
// alert is out by then, though something else was being sent when the record came.
func TestTheAlertIsOutWhenReadFails(t *testing.T) {
	for _, busy := range []time.Duration{0, patience / 5} {
		client, server := renegotiable(VersionTLS12)
		var mutex sync.Mutex
		var sent []wire.AlertCode
		client.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
			mutex.Lock()
			defer mutex.Unlock()
			if a.Dir == trace.Sent {
				sent = append(sent, a.Code)
			}
		}}
		c, s := open(t, "TCP", client, server)
		if _, err := s.NetConn().Write([]byte{23, 3, 3, 0, 1, 0}); err != nil {
			t.Fatal(err)
		}
		c.out.Lock() // as an answer that is being sent does
		time.AfterFunc(busy, c.out.Unlock)
		_, err := c.Read(make([]byte, 1))
		var fault *HandshakeError
		mutex.Lock()
		if !errors.As(err, &fault) || len(sent) != 1 || sent[0] != fault.Alert {
			t.Errorf("busy for %v: the error is %v, and the alerts were %v", busy, err, sent)
		}
		mutex.Unlock()
	}
}

// A Write that the peer lets wait keeps nobody for long.
func TestReadFailsThoughAWriteWaits(t *testing.T) {
	client, server := renegotiable(VersionTLS12)
	c, s := open(t, "TCP", client, server)
	if _, err := s.NetConn().Write([]byte{23, 3, 3, 0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	c.out.Lock()
	defer c.out.Unlock()
	start := time.Now()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a record of nothing opens")
	}
	if took := time.Since(start); took > 20*patience {
		t.Errorf("it took %v", took)
	}
}
