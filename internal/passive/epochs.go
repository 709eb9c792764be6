package passive

import (
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// opener opens the records of one epoch of one direction.
type opener struct {
	half    record.Half
	params  record.Params
	inflate *record.Decompressor
	swollen []byte
	// name and label are those of its trace.Keys; source says where its keys are from.
	name, label, source string
	// secret is the traffic secret; before names the one that it follows.
	secret []byte
	before string
}

func newOpener(p record.Params) *opener {
	o := &opener{params: p}
	o.half.SetKeys(p)
	if p.Compression == wire.CompressionDeflate {
		o.inflate = record.NewDecompressor()
	}
	return o
}

// chained: the IV of a record is the end of the one before.
func (o *opener) chained() bool {
	return o.params.Suite.Cipher.BlockLen > 0 && len(o.params.IV) > 0
}

// runsOn: what a record holds depends on those before it, beyond the IV.
func (o *opener) runsOn() bool {
	return o.params.Suite.Cipher.Stream != nil || o.inflate != nil
}

// changeCipherSpec begins a new epoch up to TLS 1.2. In TLS 1.3 it means nothing.
func (l *Listener) changeCipherSpec(d *direction) {
	hs := l.hs
	switch {
	case d.stage != inClear || hs.is13():
		return
	case hs != nil && hs.answer == nil && hs.hello != nil && hs.before == nil && hs.hello.Extensions.Has(wire.ExtSupportedVersions):
		return // a client of TLS 1.3 in compatibility mode, between its hellos
	}
	if hs != nil && hs.answer != nil && !hs.exchanged && !hs.torn {
		hs.resumed = true // also where the server has not said so by its session ID
	}
	d.begin(d.epoch + 1)
	d.of = hs
	if hs != nil && hs.resumed {
		l.sum.resumes(hs)
	}
	l.adopt(d, l.opener12(hs, d.from))
}

// begin begins an epoch.
func (d *direction) begin(epoch int) {
	d.epoch, d.seq, d.slack, d.fails, d.opener, d.asked = epoch, 0, 0, 0, nil, 0
	d.last = d.last[:0]
}

// enter begins a stage of TLS 1.3, with keys if they are known.
func (l *Listener) enter(d *direction, at stage) {
	if d.stage >= at {
		return
	}
	d.stage, d.of = at, l.hs
	d.begin(d.epoch + 1)
	l.adopt(d, l.openerAt(l.hs, at, d.from))
}

// beginEarly: a client that offers early data may send it at once. RFC 8446 §4.2.10.
func (l *Listener) beginEarly(d *direction) {
	if l.hs.before == nil && d.stage == inClear && d.epoch == 0 && l.hs.hello.Extensions.Has(wire.ExtEarlyData) {
		d.stage, d.of = early, l.hs
		d.begin(1)
	}
}

// adopt has o, which may be nil, open the records of d's epoch from now on, and reports
// its keys.
func (l *Listener) adopt(d *direction, o *opener) {
	if o == nil {
		return
	}
	d.opener = o
	l.sum.Readable = true
	if l.hooks != nil && l.hooks.Keys != nil {
		p := &o.params
		l.hooks.Keys(trace.Keys{Dir: dirOf(d.from), Epoch: d.epoch, Version: p.Version, Suite: p.Suite.ID, Secret: o.name, Label: o.label,
			Key: p.Key, IV: p.IV, MAC: p.MAC, EncryptThenMAC: p.EncryptThenMAC})
	}
}

// look looks for keys that were not known when d's epoch began. A log that grows is not
// asked at each record.
func (l *Listener) look(d *direction) {
	const often, seldom = 16, 64
	if d.asked++; d.asked > often && d.asked%seldom != 0 || d.of == nil {
		return
	}
	if d.stage == inClear {
		l.adopt(d, l.opener12(d.of, d.from))
	} else if d.stage != early {
		l.adopt(d, l.openerAt(d.of, d.stage, d.from))
	}
}

// update follows a side to its next traffic secret. RFC 8446 §7.2.
func (l *Listener) update(d *direction) {
	d.updates++
	next := d.opener.nextOpener(d.from, d.updates)
	l.tellUpdate(d.of, next)
	d.begin(d.epoch + 1)
	l.adopt(d, next)
}

// A candidate may open a record of TLS 1.3 that d's own keys do not: it is of a later
// epoch, whose beginning was not seen.
type candidate struct {
	*opener
	stage   stage
	updates int
	epochs  int // how many later
}

// maxUpdates is how many KeyUpdates in a row are looked for that were not seen.
const maxUpdates = 4

func (l *Listener) candidates(d *direction) (all []candidate) {
	hs := d.of
	if hs == nil {
		return nil
	}
	if d.stage == early && d.opener == nil {
		for _, o := range l.earlyOpeners(hs) {
			all = append(all, candidate{o, early, 0, 0})
		}
	}
	for at := d.stage + 1; d.stage != inClear && at <= application; at++ {
		if o := l.openerAt(hs, at, d.from); o != nil {
			all = append(all, candidate{o, at, 0, int(at - d.stage)})
		}
	}
	if d.stage == application && d.opener != nil && d.slack > 0 {
		o := d.opener
		for n := 1; n <= maxUpdates; n++ {
			o = o.nextOpener(d.from, d.updates+n)
			all = append(all, candidate{o, application, d.updates + n, n})
		}
	}
	return all
}

// earlyOpeners are those for early data: of which suite it is, the connection that it
// goes on from has agreed on, and what opens tells.
func (l *Listener) earlyOpeners(hs *handshake) (all []*opener) {
	row := traffic[early][wire.Client]
	random := hs.random()
	if c := hs.concealed; c != nil {
		random = c.hello.Random // nobody has said yet that it counts, but early data is of this hello
	}
	secret := l.keys.secret(row.log, random)
	for _, id := range hs.hello.CipherSuites {
		if s := suite.ByID(id); s != nil && s.Allows(wire.TLS13) && s.Hash.Size == len(secret) {
			all = append(all, opener13(s, secret, row.name, row.label))
		}
	}
	return all
}

// move takes d on to a candidate that has opened a record.
func (l *Listener) move(d *direction, c candidate) {
	hs := d.of
	switch {
	case c.stage == early:
		l.secret(hs, trace.Secret{Name: c.name, How: fromLog, Hash: c.params.Suite.Hash.Name, Value: c.secret, Ref: "RFC 9850 §2"})
	case c.updates > 0:
		o := d.opener
		for n := d.updates + 1; n <= c.updates; n++ {
			o = o.nextOpener(d.from, n)
			l.tellUpdate(hs, o)
		}
	}
	if c.stage == application && d.stage < application {
		hs.torn, hs.finished[d.from] = true, true
		l.reveal13(hs)
	}
	d.stage, d.updates = c.stage, c.updates
	slack := d.slack
	d.begin(d.epoch + c.epochs)
	d.slack = slack
	l.adopt(d, c.opener)
}
