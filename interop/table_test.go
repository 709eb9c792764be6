package interop

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// mixRow is the row that counts the cells which have no row of their own.
const mixRow = "pairwise mix of all axes"

// table is the result: rows of cells, columns of peers, once for each role.
type table struct {
	mu      sync.Mutex
	halves  map[wire.Role]*half
	reasons []string // why a peer cannot; a cell shows the number
	began   time.Time
}

type half struct {
	cells map[string]map[string]*tally // row, peer
	ran   map[string]bool              // peers of which a cell ran
	slow  time.Duration
	which string
	total int
}

// tally counts the results of one place in the table.
type tally struct {
	ok, failed int
	why        string // why the peer cannot
}

func (t tally) String() string {
	switch {
	case t.why != "":
		return "- " + t.why
	case t.failed > 0 && t.ok+t.failed > 1:
		return fmt.Sprintf("%d FAIL of %d", t.failed, t.ok+t.failed)
	case t.failed > 0:
		return "FAIL"
	case t.ok > 1:
		return fmt.Sprintf("%d ok", t.ok)
	}
	return "ok"
}

func newTable() *table {
	return &table{halves: map[wire.Role]*half{
		wire.Client: {cells: map[string]map[string]*tally{}, ran: map[string]bool{}},
		wire.Server: {cells: map[string]map[string]*tally{}, ran: map[string]bool{}},
	}, began: time.Now()}
}

// at returns the place of a row and a peer. The lock must be held.
func (t *table) at(ours wire.Role, p *peer, row string) *tally {
	h := t.halves[ours]
	if h.cells[row] == nil {
		h.cells[row] = map[string]*tally{}
	}
	if h.cells[row][p.Name] == nil {
		h.cells[row][p.Name] = &tally{}
	}
	return h.cells[row][p.Name]
}

func (t *table) done(ours wire.Role, p *peer, row string, c cell, err error, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	place, h := t.at(ours, p, row), t.halves[ours]
	if err != nil {
		place.failed++
	} else {
		place.ok++
	}
	h.total++
	h.ran[p.Name] = true
	if took > h.slow {
		h.slow, h.which = took, p.Name+" "+c.String()
	}
}

func (t *table) cannot(ours wire.Role, p *peer, row, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.reasons, why)
	if i < 0 {
		i = len(t.reasons)
		t.reasons = append(t.reasons, why)
	}
	t.at(ours, p, row).why = fmt.Sprint(i + 1)
}

func (t *table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, ours := range []wire.Role{wire.Client, wire.Server} {
		h := t.halves[ours]
		fmt.Fprintf(&b, "\nvitrine as %s: %d cells, the slowest %.1f s (%s)\n", ours, h.total, h.slow.Seconds(), h.which)
		h.write(&b)
	}
	for i, why := range t.reasons {
		fmt.Fprintf(&b, "- %d  %s\n", i+1, why)
	}
	fmt.Fprintf(&b, "in %.0f s\n", time.Since(t.began).Seconds())
	return b.String()
}

func (h *half) write(b *strings.Builder) {
	var names []string
	width := 0
	for _, c := range rows() {
		if name := c.String(); h.cells[name] != nil {
			names = append(names, name)
			width = max(width, len(name))
		}
	}
	if h.cells[mixRow] != nil {
		names = append(names, mixRow)
	}
	var list []*peer // those that have this role at all
	line := fmt.Sprintf("%-*s", width, "")
	for _, p := range peers {
		if h.ran[p.Name] {
			list = append(list, p)
			line += fmt.Sprintf("  %-8s", p.Name)
		}
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
	for _, row := range names {
		line := fmt.Sprintf("%-*s", width, row)
		for _, p := range list {
			text := ""
			if place := h.cells[row][p.Name]; place != nil {
				text = place.String()
			}
			line += fmt.Sprintf("  %-8s", text)
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}
