package lab

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strconv"
)

// A guard lets in the browser that was given the token, and nobody else. Against pages of
// others in that browser it looks at Host (a name of theirs may lead to this address) and
// Origin (their page may send requests here).
type guard struct {
	token, cookie string
	hosts         []string
	name          string // of the cookie: cookies know no ports
}

func newGuard(at *net.TCPAddr) *guard {
	port := strconv.Itoa(at.Port)
	return &guard{
		token: rand.Text(), cookie: rand.Text(), name: "vitrine-lab-" + port,
		hosts: []string{net.JoinHostPort(at.IP.String(), port), net.JoinHostPort("localhost", port)},
	}
}

// headers hold for every answer.
var headers = map[string]string{
	"Cache-Control":                "no-store",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "SAMEORIGIN",
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
}

// protect puts the guard before next.
func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case !slices.Contains(g.hosts, r.Host):
			http.Error(w, "This is the lab of vitrine, at "+g.hosts[0]+" and under no other name.", http.StatusMisdirectedRequest)
		case r.URL.Path == "/" && r.Method == http.MethodGet && equal(r.URL.Query().Get("token"), g.token): // from wherever the link was
			http.SetCookie(w, &http.Cookie{Name: g.name, Value: g.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			next.ServeHTTP(w, r)
		case !g.ours(r):
			http.Error(w, "The lab takes no requests from pages of others.", http.StatusForbidden)
		case !g.known(r):
			http.Error(w, "Open the address that vitrine lab has written, with its token.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ours reports that a request is not that of another page. What changes something must
// say where it comes from, as every browser does.
func (g *guard) ours(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	return origin == "http://"+r.Host
}

func (g *guard) known(r *http.Request) bool {
	for _, c := range r.CookiesNamed(g.name) {
		if equal(c.Value, g.cookie) {
			return true
		}
	}
	return false
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
