package explain

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The budgets of the collectors of one pass. They share what is left: a connection gets a
// quarter of it, and waits for another pass if that is too little.
const (
	allBudgets  = 64 << 20
	leastBudget = 1 << 20
)

// batch explains connections in one pass over the capture, as many as fit into memory.
type batch struct {
	*captured
	wanted  []int // in order
	later   []int // those left for another pass
	open    map[int]*explain.Collector
	left    int // of the budgets
	written int
	wrong   []error
}

func newBatch(c *captured, wanted []int) *batch {
	return &batch{captured: c, wanted: wanted, open: map[int]*explain.Collector{}, left: allBudgets}
}

func (b *batch) run() error {
	return b.read(capture.Options{Decrypt: true, Trace: b.trace, Found: b.found})
}

// trace begins an account.
func (b *batch) trace(k *capture.Connection, now func() time.Time) *trace.Hooks {
	if _, wanted := slices.BinarySearch(b.wanted, k.Number); !wanted {
		return nil
	}
	budget := min(b.left/4, explain.DefaultBudget)
	if budget < leastBudget {
		b.later = append(b.later, k.Number)
		return nil
	}
	b.left -= budget
	collector := &explain.Collector{Now: now, Budget: budget}
	b.open[k.Number] = collector
	return b.data.with(collector.Hooks(), k.Number)
}

// found writes an account.
func (b *batch) found(k *capture.Connection) error {
	collector := b.open[k.Number]
	if collector == nil {
		return nil
	}
	delete(b.open, k.Number)
	b.left += collector.Budget
	s := subjectOf(collector, b.about(k))
	var text bytes.Buffer
	if err := b.render(&text, []subject{s}, false); err != nil {
		return err
	}
	file, err := create(filepath.Join(b.output, strconv.Itoa(k.Number)+b.form.ending))
	if err != nil {
		return err
	}
	_, err = file.Write(text.Bytes())
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	b.written++
	if err := findings(s.account); err != nil && len(b.wrong) < 16 {
		b.wrong = append(b.wrong, fmt.Errorf("connection %d: %w", k.Number, err))
	}
	return nil
}

// dataWriter writes what each side of connections said, decrypted.
type dataWriter struct {
	dir   string
	begun map[string]bool
	err   error
}

// with adds the writing of a connection's data to hooks. A nil dataWriter adds nothing.
func (d *dataWriter) with(h *trace.Hooks, number int) *trace.Hooks {
	if d == nil {
		return h
	}
	both := trace.Hooks{}
	if h != nil {
		both = *h
	}
	then := both.Record
	both.Record = func(r trace.Record) {
		if then != nil {
			then(r)
		}
		if r.Type == wire.ContentApplicationData && r.Epoch > 0 && r.Unopened == "" && r.Err == nil {
			d.write(number, r)
		}
	}
	return &both
}

// anew lets files that are written again be emptied first.
func (d *dataWriter) anew() {
	if d != nil {
		d.begun = nil
	}
}

// write appends what a record says to the file of its direction. The first time it empties the
// file.
func (d *dataWriter) write(number int, r trace.Record) {
	side := "server"
	if r.Dir == trace.Sent {
		side = "client"
	}
	name := filepath.Join(d.dir, fmt.Sprintf("%d-%s", number, side))
	how := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !d.begun[name] {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(name, how, 0o600)
	if err != nil {
		d.err = cmp.Or(d.err, err)
		return
	}
	if d.begun == nil {
		d.begun = map[string]bool{}
	}
	d.begun[name] = true
	_, err = file.Write(r.Plain)
	d.err = cmp.Or(d.err, err, file.Close())
}

// failure is why data could not be written.
func (d *dataWriter) failure() error {
	if d == nil || d.err == nil {
		return nil
	}
	return fmt.Errorf("--data: %w", d.err)
}
