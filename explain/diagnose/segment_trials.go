package diagnose

import (
	"context"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// segmentTrial finds out whether it is not the length of a hello that matters, but that a long
// one comes in several TCP segments: a short hello is sent in two.
func (t *trialist) segmentTrial(short *hello, taken, padded answer) *Verdict {
	if !t.may(1) {
		return nil
	}
	a := t.through(inSegments(t.ctx, t.way.Dial), "the shorter hello, in two TCP segments", scan.Probe{Raw: short.records(t.recordSize())}, "")
	if a.agreed || !a.like(t.failed) {
		return nil
	}
	return t.minds("segment-intolerant", "does not put together a hello that comes in two TCP segments, as long ones do: in one it is taken", taken,
		padded.evidence("as long, by padding alone: "+padded.text), a.evidence("no longer, in two segments: "+a.text))
}

// segmentPause is the time between two segments: long enough that they are not read as one.
const segmentPause = 100 * time.Millisecond

// inSegments has the first write of each connection go out in two segments, with a pause
// that the end of over cuts short.
func inSegments(over context.Context, dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, address)
		if err != nil {
			return nil, err
		}
		return &segmented{Conn: conn, ctx: over}, nil
	}
}

type segmented struct {
	net.Conn
	ctx  context.Context // of the trials: that of dialling ends with it
	done bool
}

// Write relies on TCP_NODELAY, which Go sets: each write of a few bytes is a segment.
func (s *segmented) Write(b []byte) (int, error) {
	if s.done || len(b) < 2 {
		return s.Conn.Write(b)
	}
	s.done = true
	n, err := s.Conn.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	pause := time.NewTimer(segmentPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-s.ctx.Done():
	}
	more, err := s.Conn.Write(b[n:])
	return n + more, err
}

// sessionTrial leaves out what a hello has of an earlier session.
func (t *trialist) sessionTrial() *Verdict {
	if t.facts.hello.resumes() == "" || !t.may(1) {
		return nil
	}
	a := t.with("without the session that it is to resume", t.facts.hello.copyOf())
	if !a.agreed {
		return nil
	}
	v := t.minds("resumption-intolerant", "does not take a hello that is to resume a session, in place of going on with a full handshake", a)
	v.Evidence = append(v.Evidence, t.helloShows(t.facts.hello.resumes())...)
	return v
}
