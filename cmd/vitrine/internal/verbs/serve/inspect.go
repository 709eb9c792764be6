package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/page"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/fingerprint"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

const (
	// inspectPath is where a browser finds the account of its connection.
	inspectPath = "/.vitrine"
	// inspectBudget is how many bytes of a connection are kept, and mostInspected of how
	// many connections at a time.
	inspectBudget = 512 << 10
	mostInspected = 200
)

// inspector keeps what happens on each connection while it is open, and shows it to the
// one that asks on it.
type inspector struct {
	open  sync.Map // *trace.Hooks of a connection: its *explain.Collector
	count atomic.Int64
}

// inspected is the key of the *tls.Conn in a request's context.
type inspected struct{}

// attach lets srv keep what happens on its connections.
func (i *inspector) attach(srv *httptls.Server) {
	srv.TLS.Trace = &trace.Hooks{Connection: i.begin}
	srv.HTTP.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, inspected{}, c)
	}
	srv.HTTP.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateClosed || s == http.StateHijacked {
			i.end(c)
		}
	}
}

// before shows the account of a connection at inspectPath, and leaves all else to next.
func (i *inspector) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == inspectPath {
			i.show(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// begin returns the hooks of one more connection; nil where there are too many.
func (i *inspector) begin() *trace.Hooks {
	if i.count.Add(1) > mostInspected {
		i.count.Add(-1)
		return nil
	}
	collector := &explain.Collector{Budget: inspectBudget}
	hooks := collector.Hooks()
	hooks.Connection = nil
	i.open.Store(hooks, collector)
	return hooks
}

// end forgets a connection.
func (i *inspector) end(c net.Conn) {
	if conn, ok := c.(*tls.Conn); ok {
		if _, kept := i.open.LoadAndDelete(conn.Hooks()); kept {
			i.count.Add(-1)
		}
	}
}

// inspectHeaders keep the account from other pages, and out of caches.
var inspectHeaders = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// viaProxy are the headers by which a proxy says that it has passed a request on. Its
// connection is the proxy's, and others may share it.
var viaProxy = []string{"Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"}

// show answers with the account of the connection on which r came.
func (i *inspector) show(w http.ResponseWriter, r *http.Request) {
	for name, value := range inspectHeaders {
		w.Header().Set(name, value)
	}
	conn, _ := r.Context().Value(inspected{}).(*tls.Conn)
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The account of a connection can be read: GET and HEAD only.", http.StatusMethodNotAllowed)
	case slices.ContainsFunc(viaProxy, func(name string) bool { return r.Header.Get(name) != "" }):
		http.Error(w, "This request came through a proxy. The connection is the proxy's, and others may share it.", http.StatusForbidden)
	case (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate":
		http.Error(w, "Pages of others do not get the account of a connection.", http.StatusForbidden)
	case conn == nil || conn.Hooks() == nil:
		http.Error(w, fmt.Sprintf("Nothing was kept of this connection: more than %d were open when it began. Connect again.", mostInspected), http.StatusServiceUnavailable)
	default:
		i.write(w, r, conn)
	}
}

func (i *inspector) write(w http.ResponseWriter, r *http.Request, conn *tls.Conn) {
	kept, ok := i.open.Load(conn.Hooks())
	if !ok {
		http.Error(w, "Nothing was kept of this connection.", http.StatusServiceUnavailable)
		return
	}
	account := kept.(*explain.Collector).Connection(explain.About{Target: r.RemoteAddr, TargetIs: "the client that asks for this page" + printsOf(kept.(*explain.Collector))})
	switch format := r.URL.Query().Get("format"); format { // where the client has gone there is nobody to tell of an error
	case "", "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Write(w, page.Page{Connections: []*explain.Connection{account}, Lang: r.URL.Query().Get("lang")})
	case "json":
		w.Header().Set("Content-Type", "application/json")
		_ = account.JSON(w)
	case "text":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_ = text.Write(w, account, text.Options{})
	default:
		http.Error(w, "There are the formats html, json and text.", http.StatusBadRequest)
	}
}

// printsOf are the fingerprints of a connection's ClientHello, in words.
func printsOf(c *explain.Collector) string {
	for _, e := range c.Connection(explain.About{}).Events {
		if e.Message == nil || e.Message.Name != "ClientHello" {
			continue
		}
		hello, err := fingerprint.Hello(e.Message.Raw)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("; JA4 %s, JA3 %s", fingerprint.JA4(hello), fingerprint.JA3(hello))
	}
	return ""
}
