package rogue

import (
	"bytes"
	"iter"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// plan is what the deviations of one flow are made from.
type plan struct {
	flow   *Flow
	honest *Recording
	other  *Recording // of another connection of the same flow
	// alphabet is one of each message that the version has, from honest runs of
	// all its flows, and some that it has not.
	alphabet []Unit
}

// Kind is one way to deviate, with all deviations of that kind in a flow.
type Kind struct {
	Name string
	all  func(*plan) iter.Seq[Deviation]
}

// Kinds are all.
var Kinds = []Kind{
	{"messages left out", leftOut},
	{"messages sent twice", repeated},
	{"messages exchanged", exchanged},
	{"messages moved", moved},
	{"messages put in", inserted},
	{"messages of another connection", spliced},
	{"bits of messages", messageBits},
	{"bits of signatures, binders and certificates", proofs},
	{"bytes of messages", messageBytes},
	{"lengths in messages", lengths},
	{"bits on the wire", wireBits},
	{"bytes on the wire", wireBytes},
	{"the end of the stream", ends},
	{"change_cipher_spec", changes},
	{"alerts", alerts},
	{"messages across a key change", crossings},
	{"records of another shape", shapes},
}

// Deviations returns those of a kind for the flow of the Stage.
func (s *Stage) Deviations(k Kind) (iter.Seq[Deviation], error) {
	p := &plan{flow: s.Flow}
	var err error
	if p.honest, err = s.Honest(); err != nil {
		return nil, err
	}
	if p.other, err = s.Honest(); err != nil {
		return nil, err
	}
	if p.alphabet, err = alphabet(s.Flow.Version); err != nil {
		return nil, err
	}
	return k.all(p), nil
}

var alphabets = struct {
	sync.Mutex
	of map[wire.Version][]Unit
}{of: map[wire.Version][]Unit{}}

// alphabet plays each flow of the version once.
func alphabet(v wire.Version) ([]Unit, error) {
	alphabets.Lock()
	defer alphabets.Unlock()
	if units := alphabets.of[v]; units != nil {
		return units, nil
	}
	units := strangers(v)
	for _, f := range Flows {
		if f.Version != v {
			continue
		}
		s, err := NewStage(f)
		if err != nil {
			return nil, err
		}
		r, err := s.Honest()
		if err != nil {
			return nil, err
		}
		for _, u := range slices.Concat(r.Units[wire.Client], r.Units[wire.Server]) {
			if !slices.ContainsFunc(units, func(x Unit) bool { return x.String() == u.String() && (len(x.Body) > 4 || bytes.Equal(x.Body, u.Body)) }) {
				units = append(units, u)
			}
		}
	}
	alphabets.of[v] = units
	return units, nil
}

type adder func(name string, edit func() editor)

// each yields the deviations that make adds for the units to either side, which
// have in common what like has.
func (p *plan) each(like Deviation, make func(units []Unit, add adder)) iter.Seq[Deviation] {
	return func(yield func(Deviation) bool) {
		more := true
		for _, victim := range roles {
			make(p.honest.Units[victim.Peer()], func(name string, edit func() editor) {
				d := like
				d.Name, d.Victim, d.edit = name, victim, edit
				more = more && yield(d)
			})
		}
	}
}
