package tracefile

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// lineOf is the line for an event.
func lineOf(e Event) (l line, err error) {
	l.AtNS = int64(e.At)
	if sent, received := e.Missed[trace.Sent], e.Missed[trace.Received]; sent+received > 0 {
		l.Missed = []int{sent, received}
	}
	switch x := e.What.(type) {
	case trace.Record:
		l.Record = &record{direction(x.Dir), x.Epoch, x.Seq, x.Type, x.Wire, x.Plain, x.Padding, text(x.Err), x.Unopened}
	case trace.Message:
		c := x.Context
		l.Message = &message{direction(x.Dir), x.Raw, c.Version, c.KeyExchange, role(c.From), c.CertificateType, x.PostHandshake, x.SSL2}
	case trace.Inner:
		l.Inner = &inner{direction(x.Dir), x.Raw}
	case trace.Secret:
		l.Secret = &secret{x.Name, x.How, x.From, x.Salt, x.Label, x.Input, x.InputIs, x.Hash, x.Value, x.Ref}
	case trace.Keys:
		l.Keys = &keys{direction(x.Dir), x.Epoch, x.Version, x.Suite, x.Secret, x.Label, x.Key, x.IV, x.MAC, x.EncryptThenMAC}
	case trace.Choice:
		l.Choice = &choice{x.What, role(x.By), x.Ours, x.Theirs, x.Picked, x.Why, x.Ref}
	case trace.Alert:
		l.Alert = &alert{direction(x.Dir), x.Level, x.Code, text(x.Err)}
	case trace.Gap:
		l.Gap = &gap{direction(x.Dir), x.Bytes, x.Skipped}
	case trace.End:
		l.End = &end{direction(x.Dir)}
	case Dropped:
		l.Dropped = &x
	default:
		return l, fmt.Errorf("tracefile: %T is not an event of a trace", x)
	}
	return l, nil
}

// event is what the line holds; nil for what is not known here.
func (l *line) event() any {
	switch {
	case l.Record != nil:
		x := l.Record
		return trace.Record{Dir: trace.Direction(x.Dir), Epoch: x.Epoch, Seq: x.Seq, Type: x.Type, Wire: x.Wire, Plain: x.Plain, Padding: x.Padding, Err: why(x.Refused), Unopened: x.Unopened}
	case l.Message != nil:
		x := l.Message
		return trace.Message{Dir: trace.Direction(x.Dir), Raw: x.Raw, PostHandshake: x.PostHandshake, SSL2: x.SSL2,
			Context: wire.Context{Version: x.Version, KeyExchange: x.KeyExchange, From: wire.Role(x.From), CertificateType: x.Certificate}}
	case l.Inner != nil:
		return trace.Inner{Dir: trace.Direction(l.Inner.Dir), Raw: l.Inner.Raw}
	case l.Secret != nil:
		x := l.Secret
		return trace.Secret{Name: x.Name, How: x.How, From: x.From, Salt: x.Salt, Label: x.Label, Input: x.Input, InputIs: x.InputIs, Hash: x.Hash, Value: x.Value, Ref: x.Ref}
	case l.Keys != nil:
		x := l.Keys
		return trace.Keys{Dir: trace.Direction(x.Dir), Epoch: x.Epoch, Version: x.Version, Suite: x.CipherSuite, Secret: x.Secret, Label: x.Label,
			Key: x.Key, IV: x.IV, MAC: x.MAC, EncryptThenMAC: x.EncryptThenMAC}
	case l.Choice != nil:
		x := l.Choice
		return trace.Choice{What: x.What, By: wire.Role(x.By), Ours: x.Ours, Theirs: x.Theirs, Picked: x.Picked, Why: x.Why, Ref: x.Ref}
	case l.Alert != nil:
		x := l.Alert
		return trace.Alert{Dir: trace.Direction(x.Dir), Level: x.Level, Code: x.Code, Err: why(x.Reason)}
	case l.Gap != nil:
		x := l.Gap
		return trace.Gap{Dir: trace.Direction(x.Dir), Bytes: x.Bytes, Skipped: x.Skipped}
	case l.End != nil:
		return trace.End{Dir: trace.Direction(l.End.Dir)}
	case l.Dropped != nil:
		return *l.Dropped
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func why(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// withhold is the event without the values of secrets.
func withhold(event any) any {
	switch x := event.(type) {
	case trace.Secret:
		if x.How == "HKDF-Extract" { // whose input is a secret too
			x.Input = nil
		}
		x.Value = nil
		return x
	case trace.Keys:
		x.Key, x.IV, x.MAC = nil, nil, nil
		return x
	}
	return event
}
