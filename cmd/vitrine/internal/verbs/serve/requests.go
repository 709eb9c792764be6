package serve

import (
	"log/slog"
	"net/http"
	"time"
)

// filesOnly refuses what has no meaning for files. RFC 9110 §15.5.6.
func filesOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This server has files to read: GET and HEAD only.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// logRequests writes one line for each request.
func logRequests(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, counted := time.Now(), &counter{ResponseWriter: w, status: http.StatusOK}
		defer func() { // also where a client hangs up, which ends the handler by a panic
			log.Info("request",
				slog.String("peer", r.RemoteAddr), slog.String("method", r.Method), slog.String("uri", r.RequestURI),
				slog.String("protocol", r.Proto), slog.Int("status", counted.status), slog.Int64("bytes", counted.bytes),
				slog.Int64("request_us", time.Since(begun).Microseconds()), slog.String("agent", r.UserAgent()))
		}()
		next.ServeHTTP(counted, r)
	})
}

// counter notes what a response came to.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
