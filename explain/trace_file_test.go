package explain

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
)

func asJSON(t *testing.T, c *Connection) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func saved(t *testing.T, secrets bool, about About, all ...*Collector) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tracefile.NewWriter(&b, secrets)
	for _, c := range all {
		if err := c.Save(w, about); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func loaded(t *testing.T, file []byte) []*Connection {
	t.Helper()
	all, err := Load(bytes.NewReader(file), 0)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// mustKeep: a trace with secrets gives the same account, byte for byte. One without
// holds none of them, and nothing in its account disagrees.
func (c *Collector) mustKeep(t *testing.T) {
	t.Helper()
	about := About{Target: "localhost", Trust: "verified", Sent: "hello", Verdict: &Verdict{Accepted: true, Sentence: "good", Certificates: []Certificate{}, Paths: []Path{}, Rules: []RuleCheck{}}, Warnings: []string{"one"}, Err: errors.New("no error"), Advice: "none"}
	account := c.Connection(about)
	if got := loaded(t, saved(t, true, about, c)); len(got) != 1 || asJSON(t, got[0]) != asJSON(t, account) {
		t.Errorf("seen from the %s: the account of the trace is another", account.Side)
	}
	c.mustRedact(t)
	file := saved(t, false, about, c)
	for _, e := range account.Events {
		var hidden []Hex
		if e.Secret != nil && !strings.HasSuffix(e.Secret.Name, "_verify_data") { // which Finished shows
			hidden = append(hidden, e.Secret.Value)
		}
		if e.Keys != nil {
			hidden = append(hidden, e.Keys.Key, e.Keys.MAC)
		}
		for _, h := range hidden {
			if len(h) > 4 && bytes.Contains(file, []byte(h.String())) && slices.Max(h) > 0 {
				t.Errorf("a trace without secrets holds %v", e)
			}
		}
	}
	bare := loaded(t, file)[0]
	if !bare.Checks.OK() || bare.Checks.Secrets+bare.Checks.Keys > 0 || len(bare.Events) != len(account.Events) {
		t.Errorf("seen from the %s, without secrets: %+v", account.Side, bare.Checks)
	}
	if text := render(t, bare, look{}); !strings.Contains(text, "saved without secrets") || strings.Contains(render(t, account, look{}), "saved without secrets") {
		t.Error("it is not said, or said too often, that the secrets are missing")
	}
	proofs := func(c *Connection) (n int) {
		for _, e := range c.Events {
			if e.Message == nil {
				continue
			}
			for _, check := range e.Message.Checks {
				if check.Result == Agrees && strings.HasPrefix(check.What, "signature") {
					n++
				}
			}
		}
		return n
	}
	if a, b := proofs(account), proofs(bare); a != b {
		t.Errorf("%d signatures are verified, and %d without secrets", a, b)
	}
}

// A resumption is explained with the connection before it in the file.
func TestTraceOfAResumption(t *testing.T) {
	p := newPair(t)
	first, _ := p.connect(t, nil)
	second, _ := p.connect(t, nil)
	previous := first.Connection(About{})
	var b bytes.Buffer
	w := tracefile.NewWriter(&b, true)
	if err := errors.Join(first.Save(w, About{}), second.Save(w, About{Previous: previous, Before: "before"})); err != nil {
		t.Fatal(err)
	}
	all := loaded(t, b.Bytes())
	if len(all) != 2 || asJSON(t, all[1]) != asJSON(t, second.Connection(About{Previous: previous, Before: "before"})) {
		t.Fatal("the account of the trace is another")
	}
	if got := resultOf(all[1], "psk"); got != Agrees {
		t.Errorf("psk is %q", got)
	}
}

// What the Collector did not keep is missing in the trace too, and said.
func TestTraceOfWhatWasDropped(t *testing.T) {
	p := newPair(t)
	p.client.Record.MaxFragment = 64
	small := &Collector{Budget: 40 << 10}
	connectWith(t, p, small)
	account := small.Connection(About{})
	if len(account.Dropped) == 0 {
		t.Fatal("nothing was dropped")
	}
	if got := loaded(t, saved(t, true, About{}, small)); asJSON(t, got[0]) != asJSON(t, account) {
		t.Error("the account of the trace is another")
	}
}

// connectWith collects a connection with much data.
func connectWith(t *testing.T, p *pair, c *Collector) {
	t.Helper()
	full, _ := p.connect(t, func(conn *tls.Conn) error {
		_, err := conn.Write(make([]byte, 20<<10))
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 20<<10))
		}
		return err
	})
	hooks := c.Hooks()
	for _, e := range full.events {
		switch x := e.what.(type) {
		case trace.Record:
			hooks.Record(x)
		case trace.Message:
			hooks.Message(x)
		case trace.Secret:
			hooks.Secret(x)
		case trace.Keys:
			hooks.Keys(x)
		case trace.Choice:
			hooks.Choice(x)
		case trace.Alert:
			hooks.Alert(x)
		}
	}
}

// A trace that is damaged gives the accounts of what came before, and says where.
func TestDamagedTrace(t *testing.T) {
	c, _ := newPair(t).connect(t, nil)
	file := saved(t, true, About{}, c, c)
	lines := bytes.SplitAfter(file, []byte("\n"))
	for name, x := range map[string]struct {
		file []byte
		all  int
		want string
	}{
		"empty":         {nil, 0, "it is not a trace"},
		"HTML":          {[]byte("<html>\n"), 0, "it is not a trace"},
		"another JSON":  {[]byte("{\"format\":\"vitrine.explain/1\"}\n"), 0, "it is not a trace"},
		"cut":           {file[:len(file)-10], 2, "the file ends in the middle of it"},
		"a later form":  {bytes.Replace(file, []byte("trace/1"), []byte("trace/2"), 1), 0, "this version reads vitrine.trace/1"},
		"a broken line": {slices.Concat(bytes.Join(lines[:3], nil), []byte("{\n"), bytes.Join(lines[3:], nil)), 1, "line 4 of the trace"},
		"a bad verdict": {bytes.Replace(file, []byte(`"secrets"`), []byte(`"verdict":3,"secrets"`), 1), 0, "the verdict"},
		"below zero":    {slices.Concat(bytes.Join(lines[:2], nil), []byte(`{"at_ns":-1,"alert":{"dir":"sent","level":1,"code":0}}`)), 1, "below zero"},
		"no direction":  {slices.Concat(bytes.Join(lines[:2], nil), []byte(`{"alert":{"level":1,"code":0}}`)), 1, "a direction is missing"},
	} {
		all, err := Load(bytes.NewReader(x.file), 0)
		if len(all) != x.all || err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %d connections, %v", name, len(all), err)
		}
	}
	later := slices.Concat(lines[0], []byte("{\"at_ns\":5,\"weather\":{\"sunny\":true}}\n"), bytes.Join(lines[1:], nil))
	if all, err := Load(bytes.NewReader(later), 0); err != nil || asJSON(t, all[0]) != asJSON(t, c.Connection(About{})) {
		t.Errorf("a line of a kind that is not known: %v", err)
	}
}

// Whatever a trace says, it is explained or refused.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"rfc8448-simple", "rfc8448-retry"} {
		c := collect(f, readTape(f, name+".txt"), nil)
		for _, secrets := range []bool{true, false} {
			var b bytes.Buffer
			if err := c.Save(tracefile.NewWriter(&b, secrets), About{}); err != nil {
				f.Fatal(err)
			}
			f.Add(b.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		all, _ := Load(bytes.NewReader(file), 1<<20)
		for _, c := range all {
			asJSON(t, c)
			if _, err := Render(c, 0, false); err != nil { // its sentences may be the file's own, in any language
				t.Fatal(err)
			}
		}
	})
}
