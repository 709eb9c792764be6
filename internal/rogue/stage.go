package rogue

import (
	"bytes"
	"crypto"
	"fmt"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Stage plays one flow, again and again. It is not safe for concurrent use.
type Stage struct {
	Flow    *Flow
	configs sides[*tls.Config]
	sides   sides[*side]
	keys    sides[crypto.Signer]
	honest  *Recording // the last
	atRest  func(*run) // called when both sides wait, nil for nothing
}

// NewStage returns a Stage for f. For a flow that resumes it makes the session.
func NewStage(f *Flow) (*Stage, error) {
	client, server, err := f.configs()
	if err != nil {
		return nil, err
	}
	s := &Stage{Flow: f, configs: sides[*tls.Config]{wire.Client: client, wire.Server: server}}
	for _, role := range roles {
		s.sides[role] = &side{role: role}
		if certs := s.configs[role].Certificates; len(certs) > 0 {
			s.keys[role], _ = certs[0].PrivateKey.(crypto.Signer)
		}
	}
	if f.resumes {
		if _, err := s.Honest(); err != nil {
			return nil, fmt.Errorf("%v: the connection to resume: %w", f, err)
		}
	}
	return s, nil
}

// A Unit is one thing that a side sends: a handshake message, or the content of a
// record of another type.
type Unit struct {
	Type  wire.ContentType
	Body  []byte
	Clear bool // under no keys, where there are some
}

func (u Unit) String() string {
	if u.Type == wire.ContentHandshake && len(u.Body) > 0 {
		return wire.HandshakeType(u.Body[0]).String()
	}
	return u.Type.String()
}

// A Recording is what an honest run of a flow consists of.
type Recording struct {
	// Units are what each side sends until it completes the handshake. Of a
	// connection with two they are those of the second.
	Units sides[[]Unit]
	// Bytes is how many each side sends in all.
	Bytes sides[int]
	// Data is what each side receives.
	Data sides[[]byte]
}

// Honest plays the flow without a rogue.
func (s *Stage) Honest() (*Recording, error) {
	r := s.play(Deviation{})
	for _, role := range roles {
		x := s.sides[role]
		if x.err != nil || !x.eof || r.net.stuck {
			return nil, fmt.Errorf("%v: the %v of an honest run: %w; its peer: %v; stuck: %v", s.Flow, role, x.err, s.sides[role.Peer()].err, r.net.stuck)
		}
		if want := s.handshakes(); x.completed != want {
			return nil, fmt.Errorf("%v: the %v of an honest run completed %d handshakes, not %d", s.Flow, role, x.completed, want)
		}
		r.honest.Data[role] = bytes.Clone(x.data)
	}
	s.honest = r.honest
	return r.honest, s.equal()
}

// handshakes is how many a connection of the flow has.
func (s *Stage) handshakes() int {
	if s.Flow.further != 0 {
		return 2
	}
	return 1
}

// Play runs the flow with d and returns what is wrong with how it went, nil if
// nothing is.
func (s *Stage) Play(d Deviation) error {
	r := s.play(d)
	return s.judge(d, r)
}

func (s *Stage) play(d Deviation) *run {
	r := &run{stage: s, deviation: d, honest: new(Recording)}
	if d.edit != nil {
		r.edit = d.edit()
	}
	r.net = newNetwork(r, func() {
		if s.atRest != nil {
			s.atRest(r)
		}
	})
	configs := s.configs
	if s.Flow.further != 0 {
		// Goroutines of the run before may be about to end: they get a past of their own.
		for _, role := range roles {
			s.sides[role], configs[role] = &side{role: role}, configs[role].Clone()
		}
		r.net.patience = d.looks()
	}
	for _, role := range roles {
		s.sides[role].clear(s.Flow.Version)
		configs[role].Trace = r.hooks(s.sides[role])
	}
	r.sides = s.sides
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.talk(wire.Server, tls.Server(r.net.ends[wire.Server], configs[wire.Server]))
	}()
	r.talk(wire.Client, tls.Client(r.net.ends[wire.Client], configs[wire.Client]))
	<-done
	return r
}

// looks is how often both ends are seen to wait before a run with d is over. Where
// nobody should wait it costs nothing to be sure.
func (d Deviation) looks() int {
	if d.want == completes || d.edit == nil && d.wire == nil {
		return 200
	}
	return 15
}
