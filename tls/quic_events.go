package tls

import (
	"bytes"
	"context"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// NextEvent returns what is to be done next, QUICNoEvent where there is nothing. After an
// error it returns that once, as a QUICErrorEvent, and nothing of what was before.
func (q *QUICConn) NextEvent() QUICEvent {
	if q.next == len(q.queue) && q.host.looked() {
		_ = q.advance(false, func(ctx context.Context) error { return q.engine.Run(ctx) }) // the error is the next event
	}
	if q.err != nil {
		if q.told || q.closed {
			return QUICEvent{Kind: QUICNoEvent}
		}
		q.told = true
		return QUICEvent{Kind: QUICErrorEvent, Err: q.err}
	}
	if q.next == len(q.queue) {
		q.queue, q.next = q.queue[:0], 0
		if q.engine != nil && q.engine.Done() {
			q.queue = nil // few follow
		}
		return QUICEvent{Kind: QUICNoEvent}
	}
	e := q.queue[q.next]
	q.queue[q.next] = QUICEvent{}
	q.next++
	return e
}

func (q *QUICConn) add(e QUICEvent) { q.queue = append(q.queue, e) }

// forgetEvents wipes what nobody will ask for any more.
func (q *QUICConn) forgetEvents() {
	for i := range q.queue {
		clear(q.queue[i].Data)
	}
	q.queue, q.next = nil, 0
}

// Write has handshake bytes sent. What follows at the same level is one event with them.
func (h *quicHost) Write(level QUICEncryptionLevel, msg []byte) {
	q := h.q
	if n := len(q.queue); n > q.next {
		if last := &q.queue[n-1]; last.Kind == QUICWriteData && last.Level == level {
			last.Data = append(last.Data, msg...)
			return
		}
	}
	q.add(QUICEvent{Kind: QUICWriteData, Level: level, Data: bytes.Clone(msg)})
}

// Secret hands out a traffic secret.
func (h *quicHost) Secret(dir trace.Direction, level QUICEncryptionLevel, suite wire.CipherSuite, secret []byte) {
	kind := QUICSetReadSecret
	if dir == trace.Sent {
		kind = QUICSetWriteSecret
	}
	h.q.add(QUICEvent{Kind: kind, Level: level, Suite: uint16(suite), Data: bytes.Clone(secret)})
}

// Done says that the handshake is complete.
func (h *quicHost) Done() { h.q.add(QUICEvent{Kind: QUICHandshakeDone}) }
