package lab

import (
	"strconv"
	"sync"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/lab"
)

// maxKept is how many runs are kept, the last ones. A run takes a few megabytes at most:
// what is said in it, and what is kept of each side, is bounded.
const maxKept = 32

// kept are the last runs.
type kept struct {
	mu   sync.Mutex
	last int
	runs []*keptRun
}

type keptRun struct {
	shown
	result *lab.Result
}

// shown is what the page is told of a run.
type shown struct {
	ID        string         `json:"id"`
	Title     string         `json:"title,omitempty"`
	Setup     lab.Setup      `json:"setup"`
	Deviation *lab.Deviation `json:"deviation,omitempty"`
	Words     string         `json:"words"`
	Finding   lab.Finding    `json:"finding"`
	Version   string         `json:"version,omitempty"`
	Suite     string         `json:"suite,omitempty"`
}

// add keeps a run, in the place of the oldest where there are too many.
func (k *kept) add(title string, r *lab.Result) shown {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last++
	s := shown{ID: strconv.Itoa(k.last), Title: title, Setup: r.Setup, Deviation: r.Deviation, Words: r.Words, Finding: r.Finding,
		Version: r.Client.Summary.Version, Suite: r.Client.Summary.CipherSuite}
	if k.runs = append(k.runs, &keptRun{s, r}); len(k.runs) > maxKept {
		k.runs[0] = nil
		k.runs = k.runs[1:]
	}
	return s
}

// account is that of one side of a run.
func (k *kept) account(id, side string) (*explain.Connection, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.runs {
		switch {
		case r.ID != id:
		case side == "client":
			return r.result.Client, true
		case side == "server":
			return r.result.Server, true
		}
	}
	return nil, false
}
