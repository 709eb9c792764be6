package httptls

import (
	"context"
	"net"
	"net/http"
)

type connKey struct{}

// connContext puts our connection into the context of its requests. The user's
// hook comes first: what it returns need not be derived from what it got.
func connContext(users func(context.Context, net.Conn) context.Context) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		sc, ours := serverConnOf(c)
		if users != nil {
			ctx = users(ctx, visible(c))
		}
		if !ours || ctx == nil { // net/http says what a nil context is
			return ctx
		}
		return context.WithValue(ctx, connKey{}, sc)
	}
}

// connState shows our connections as they are. That they are new is told already:
// net/http gets them only after their handshake. One that is hijacked is no longer early.
func connState(users func(net.Conn, http.ConnState)) func(net.Conn, http.ConnState) {
	return func(c net.Conn, state http.ConnState) {
		sc, ours := serverConnOf(c)
		if ours && state == http.StateNew {
			return
		}
		if ours && state == http.StateHijacked {
			sc.hijacked()
		}
		if users != nil {
			users(visible(c), state)
		}
	}
}

// visible returns c as the user's hooks see it: a *tls.Conn where it is ours.
func visible(c net.Conn) net.Conn {
	if sc, ours := serverConnOf(c); ours {
		return sc.Conn
	}
	return c
}

// restoreTLS fills in Request.TLS, which net/http cannot do where the state is
// hidden from it, and refuses HTTP/1.1 where HTTP/2 was agreed. A connection in
// the clear, of another listener of the same http.Server, is let through, but
// gets HTTP/2 only if clearHTTP2: net/http serves it because we need it over TLS.
func restoreTLS(next http.Handler, clearHTTP2 bool) http.Handler {
	if next == nil {
		next = http.DefaultServeMux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ours := r.Context().Value(connKey{}).(*serverConn)
		switch {
		case ours && c.http2 && r.ProtoMajor != 2:
			w.Header().Set("Connection", "close")
			http.Error(w, "HTTP/2 was agreed on for this connection.", http.StatusBadRequest)
			return
		case ours:
			var err error
			if r, err = c.admit(r); err != nil {
				panic(http.ErrAbortHandler) // there is nobody to answer
			}
			r.TLS = c.tlsState()
		case r.ProtoMajor == 2 && !clearHTTP2:
			http.Error(w, "HTTP/2 is not served in the clear.", http.StatusHTTPVersionNotSupported)
			return
		}
		next.ServeHTTP(w, r)
	})
}
