package web

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
)

// The headers that the proxy speaks for.
const (
	forwardedPrefix = "X-Forwarded-"
	forwardedFor    = forwardedPrefix + "For"
	forwardedHost   = forwardedPrefix + "Host"
	forwardedProto  = forwardedPrefix + "Proto"
	forwardedPort   = forwardedPrefix + "Port"
	clientCert      = "Client-Cert"
	clientCertChain = "Client-Cert-Chain"
)

// spoofable reports whether a client may want to say a header in the proxy's name. Services that
// make variables of headers take an underscore for a dash.
func spoofable(name string) (forwarded, certificate bool) {
	name = http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
	switch {
	case name == clientCert, name == clientCertChain:
		return false, true
	case strings.HasPrefix(name, forwardedPrefix), name == "Forwarded", name == "X-Real-Ip", name == "Proxy": // CGI makes HTTP_PROXY of the last
		return true, false
	}
	return false, false
}

// rewrite readies a request on its way to a service. ReverseProxy has taken out what is for one
// hop alone.
func (h *handler) rewrite(pr *httputil.ProxyRequest) {
	in, out := pr.In, pr.Out
	trusted := h.trust.has(in.RemoteAddr)
	for name := range out.Header {
		forwarded, certificate := spoofable(name)
		kept := trusted && forwarded && strings.HasPrefix(name, forwardedPrefix)
		if (forwarded || certificate) && !kept {
			delete(out.Header, name)
		}
	}
	h.forwarded(in, out, trusted)
	h.certificates(in, out)
	if up := out.Header.Get("Upgrade"); strings.Contains(strings.ToLower(up), "h2c") {
		out.Header.Del("Upgrade")
		out.Header.Del("Connection")
	}
	out.Header.Del("Http2-Settings")
	out.Host = in.Host
	if h.HTTP.KeepHost != nil && !*h.HTTP.KeepHost {
		out.Host = "" // that of the place
	}
	out.Trailer = nil
	for name := range in.Trailer {
		if forwarded, certificate := spoofable(name); !forwarded && !certificate {
			if out.Trailer == nil {
				out.Trailer = make(http.Header)
			}
			out.Trailer[name] = nil // the value comes with the body's end
		}
	}
	if e := exchangeOf(in.Context()); e != nil && e.body != nil {
		e.body.trailer = out.Trailer
	}
}

// forwarded says where a request comes from.
func (h *handler) forwarded(in, out *http.Request, trusted bool) {
	peer, _, err := net.SplitHostPort(in.RemoteAddr)
	if err != nil {
		peer = "unknown" // of a unix socket; the word is RFC 7239's
	}
	before := []string(nil)
	if trusted {
		before = in.Header[forwardedFor]
	}
	out.Header.Set(forwardedFor, strings.Join(append(before[:len(before):len(before)], peer), ", "))
	proto := "http"
	if in.TLS != nil {
		proto = "https"
	}
	h.say(in, out, forwardedProto, proto, trusted)
	h.say(in, out, forwardedHost, in.Host, trusted)
	if local, is := in.Context().Value(http.LocalAddrContextKey).(net.Addr); is {
		if _, port, err := net.SplitHostPort(local.String()); err == nil {
			h.say(in, out, forwardedPort, port, trusted)
		}
	}
}

// say sets a header, unless a trusted peer has said it.
func (h *handler) say(in, out *http.Request, name, value string, trusted bool) {
	if said := in.Header[name]; trusted && len(said) > 0 {
		out.Header[name] = said
		return
	}
	out.Header.Set(name, value)
}

// certificates sends on what the handshake has verified, or a rule by its key. RFC 9440 §2.
func (h *handler) certificates(in, out *http.Request) {
	how := h.HTTP.ClientCert
	if how == "" || how == "off" || in.TLS == nil {
		return
	}
	if len(in.TLS.VerifiedChains) == 0 {
		if e := exchangeOf(in.Context()); e != nil && e.route.Pinned && len(in.TLS.PeerCertificates) > 0 {
			out.Header.Set(clientCert, byteSequence(in.TLS.PeerCertificates[0].Raw)) // of the rest nothing is known
		}
		return
	}
	chain := in.TLS.VerifiedChains[0]
	out.Header.Set(clientCert, byteSequence(chain[0].Raw))
	if how == "leaf" || len(chain) < 3 { // the last one is the authority that both sides have
		return
	}
	var list []string
	for _, c := range chain[1 : len(chain)-1] {
		list = append(list, byteSequence(c.Raw))
	}
	out.Header.Set(clientCertChain, strings.Join(list, ", "))
}

// byteSequence is a structured field. RFC 8941 §3.3.5.
func byteSequence(b []byte) string { return ":" + base64.StdEncoding.EncodeToString(b) + ":" }

// trust are the networks whose word is taken.
type trust struct {
	networks []netip.Prefix
	unix     bool
}

func newTrust(from []string) (t trust, err error) {
	for _, s := range from {
		if s == "unix" {
			t.unix = true
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			address, err := netip.ParseAddr(s)
			if err != nil {
				return t, fmt.Errorf("%q is neither a network, such as 10.0.0.0/8, nor an address", s)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		t.networks = append(t.networks, prefix.Masked())
	}
	return t, nil
}

func (t trust) has(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return t.unix
	}
	for _, n := range t.networks {
		if n.Contains(at.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
