package observe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostProfiled is how long a profile may take.
const mostProfiled = 60 * time.Second

// profile answers as net/http/pprof does. That package would answer on the default mux of
// net/http too, which a program may show to the public.
func profile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("profile")
	switch name {
	case "":
		say(w, http.StatusOK, profiles())
	case "profile":
		timed(w, r, pprof.StartCPUProfile, pprof.StopCPUProfile, 30*time.Second)
	case "trace":
		timed(w, r, trace.Start, trace.Stop, time.Second)
	default:
		p := pprof.Lookup(name)
		if p == nil {
			say(w, http.StatusNotFound, fmt.Sprintf("there is no profile %q\n\n%s", name, profiles()))
			return
		}
		debug, _ := strconv.Atoi(r.FormValue("debug"))
		w.Header().Set("Content-Type", "application/octet-stream")
		if debug > 0 {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_ = p.WriteTo(w, debug) // the operator has left
	}
}

// profiles are the names of all.
func profiles() string {
	names := []string{"profile?seconds=30", "trace?seconds=1"}
	for _, p := range pprof.Profiles() {
		names = append(names, p.Name())
	}
	slices.Sort(names)
	return strings.Join(names, "\n") + "\n"
}

// timed makes what takes time, until the seconds that the request asks for are over, or the
// operator leaves.
func timed(w http.ResponseWriter, r *http.Request, start func(io.Writer) error, stop func(), usual time.Duration) {
	took := usual
	if s, err := strconv.Atoi(r.FormValue("seconds")); err == nil && s > 0 {
		took = min(mostProfiled, time.Duration(s)*time.Second)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := start(w); err != nil {
		say(w, http.StatusServiceUnavailable, fmt.Sprintf("it cannot be made: %v\n", err))
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), took)
	defer cancel()
	<-ctx.Done()
}
