package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// replay makes the trace again of which an account was made. So the JSON has
// all that the trace had, and accounts of real connections serve as tests:
// testdata/live-*.json were written by vitrine explain --format json.
func replay(t testing.TB, file string) (*Collector, About) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var account Connection
	if err := json.Unmarshal(text, &account); err != nil {
		t.Fatal(err)
	}
	var at int64
	c := &Collector{Now: func() time.Time { return time.UnixMicro(at) }}
	h := c.Hooks()
	dir := func(from string) trace.Direction {
		if from == account.Side {
			return trace.Sent
		}
		return trace.Received
	}
	role := func(name string) wire.Role { return byName(name, wire.Client, wire.Server) }
	for _, e := range account.Events {
		at = e.AtUS
		switch {
		case e.Record != nil:
			r := e.Record
			record := trace.Record{Dir: dir(r.From), Epoch: r.Epoch, Seq: r.Seq, Wire: r.Wire, Plain: r.Plain, Padding: r.Padding, Unopened: r.Unopened,
				Type: byName(r.Type, wire.ContentAlert, wire.ContentApplicationData, wire.ContentChangeCipherSpec, wire.ContentHandshake)}
			if r.Refused != "" {
				record.Err = errors.New(r.Refused)
			}
			h.Record(record)
		case e.Message != nil:
			h.Message(trace.Message{Dir: dir(e.Message.From), Raw: e.Message.Raw, PostHandshake: e.Message.PostHandshake, SSL2: e.Message.SSL2})
		case e.Choice != nil:
			x := e.Choice
			h.Choice(trace.Choice{What: x.What, By: role(x.By), Ours: x.Ours, Theirs: x.Theirs, Picked: x.Picked, Why: x.Why, Ref: x.Ref})
		case e.Secret != nil:
			s := e.Secret
			h.Secret(trace.Secret{Name: s.Name, How: s.How, From: s.From, Salt: s.Salt, Label: s.Label, Input: s.Input,
				InputIs: s.InputIs, Hash: s.Hash, Ref: s.Ref, Value: s.Value})
		case e.Keys != nil:
			k := e.Keys
			h.Keys(trace.Keys{Dir: dir(k.From), Epoch: k.Epoch, Version: byName(k.Version, everyVersion...), Suite: suite.ByName(k.CipherSuite).ID,
				Secret: k.Secret, Label: k.Label, Key: k.Key, IV: k.IV, MAC: k.MAC, EncryptThenMAC: k.EncryptThenMAC})
		case e.Alert != nil:
			a := e.Alert
			alert := trace.Alert{Dir: dir(a.From), Level: byName(a.Level, wire.LevelWarning, wire.LevelFatal), Code: alertNamed(a.Code)}
			if a.Reason != "" {
				alert.Err = errors.New(a.Reason)
			}
			h.Alert(alert)
		case e.Gap != nil:
			h.Gap(trace.Gap{Dir: dir(e.Gap.From), Bytes: e.Gap.Bytes, Skipped: e.Gap.Skipped})
		case e.End != nil:
			h.End(trace.End{Dir: dir(e.End.From)})
		}
	}
	about := About{Captured: account.Captured, Target: account.Target, TargetIs: account.TargetIs, Trust: account.Trust, Verdict: account.Verdict, Sent: account.Sent, Before: account.Before, Advice: account.Advice, Warnings: account.Warnings}
	if account.Failure != "" {
		about.Err = errors.New(account.Failure)
	}
	return c, about
}

func byName[T interface{ String() string }](name string, values ...T) (none T) {
	for _, v := range values {
		if v.String() == name {
			return v
		}
	}
	return none
}

func alertNamed(name string) wire.AlertCode {
	for code := range 256 {
		if c := wire.AlertCode(code); c.String() == name {
			return c
		}
	}
	return 0
}

// An account that is made again from its JSON is the same account.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no accounts", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			c, about := replay(t, file)
			account := c.Connection(about)
			var out bytes.Buffer
			if err := account.JSON(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", out.Bytes())
			if strings.HasPrefix(name, "live-") && !account.Checks.OK() {
				t.Errorf("checks: %q", account.Checks.Failures)
			}
		})
	}
}
