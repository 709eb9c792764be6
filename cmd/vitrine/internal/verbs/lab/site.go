package lab

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"sync"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/page"
	"github.com/vitrine-tls/vitrine/internal/lab"
)

//go:embed assets
var assets embed.FS

// A site is the page of the lab and what it asks for.
type site struct {
	guard   *guard
	files   http.Handler
	running sync.Mutex // one run at a time
	kept    kept
}

func newSite(at *net.TCPAddr) (*site, error) {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	return &site{guard: newGuard(at), files: http.FileServerFS(files)}, nil
}

func (s *site) url() string { return "http://" + s.guard.hosts[0] + "/?token=" + s.guard.token }

func (s *site) guarded() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.files.ServeHTTP)
	mux.HandleFunc("GET /assets/tokens.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, page.Tokens()) // the browser may have gone
	})
	mux.Handle("GET /assets/", http.StripPrefix("/assets", s.files))
	mux.HandleFunc("GET /api/catalog", s.catalog)
	mux.HandleFunc("POST /api/run", s.run)
	mux.HandleFunc("POST /api/experiment", s.experiment)
	mux.HandleFunc("POST /api/touches", s.touches)
	mux.HandleFunc("GET /run/{id}/{side}", s.page)
	return s.guard.protect(mux)
}

// maxBody is what a request may hold, in bytes.
const maxBody = 1 << 18

// read reads the JSON of a request, and answers what is none.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("that request cannot be read: %w", err))
		return false
	}
	return true
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the browser may have gone
}

// refuse answers with an error in words for people.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // the browser may have gone
}

// alone runs f unless something runs already.
func (s *site) alone(w http.ResponseWriter, f func() (any, error)) {
	if !s.running.TryLock() {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, errors.New("another run is under way; try again when it is done"))
		return
	}
	defer s.running.Unlock()
	v, err := f()
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	write(w, v)
}

func (s *site) run(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Setup     lab.Setup      `json:"setup"`
		Deviation *lab.Deviation `json:"deviation"`
	}
	if !read(w, r, &asked) {
		return
	}
	s.alone(w, func() (any, error) {
		result, err := lab.Run(r.Context(), asked.Setup, asked.Deviation)
		if err != nil {
			return nil, err
		}
		return s.kept.add("", result), nil
	})
}

// played is what the page is told of an experiment.
type played struct {
	*lab.Experiment
	Runs   []shown     `json:"runs"`
	Facts  []lab.Fact  `json:"facts"`
	Claims []lab.Claim `json:"claims"`
}

func (s *site) experiment(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Name string `json:"name"`
	}
	if !read(w, r, &asked) {
		return
	}
	x, ok := lab.ExperimentOf(asked.Name)
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no experiment %q", asked.Name))
		return
	}
	s.alone(w, func() (any, error) {
		p, err := x.Play(r.Context())
		if err != nil {
			return nil, err
		}
		told := played{Experiment: x, Facts: p.Facts, Claims: p.Claims}
		for _, c := range p.Runs {
			told.Runs = append(told.Runs, s.kept.add(c.Title, c.Result))
		}
		return told, nil
	})
}

// touches says what can be done at a place of a run that is kept.
func (s *site) touches(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Run  string        `json:"run"`
		Side string        `json:"side"`
		At   lab.Selection `json:"at"`
	}
	if !read(w, r, &asked) {
		return
	}
	account, ok := s.kept.account(asked.Run, asked.Side)
	if !ok {
		refuse(w, http.StatusNotFound, errGone)
		return
	}
	write(w, lab.Touches(account, asked.At))
}

// page shows the account of one side of a run that is kept.
func (s *site) page(w http.ResponseWriter, r *http.Request) {
	account, ok := s.kept.account(r.PathValue("id"), r.PathValue("side"))
	if !ok {
		http.Error(w, errGone.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'self'")       // the page brings its own, with the hash of its script
	_ = page.Write(w, page.Page{Connections: []*explain.Connection{account}}) // the browser may have gone
}

var errGone = errors.New("that run is kept no longer; run it again")
