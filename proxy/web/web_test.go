package web

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// echo answers with what has arrived.
func echo(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	said := map[string]string{"body": string(b), "host": r.Host, "length": fmt.Sprint(r.ContentLength, r.TransferEncoding), "err": fmt.Sprint(err), "trailer": r.Trailer.Get("X-Sum")}
	for name, values := range r.Header {
		said[name] = strings.Join(values, "|")
	}
	json.NewEncoder(w).Encode(said)
}

func (s *stand) echoed(resp *http.Response) (said map[string]string) {
	s.t.Helper()
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		s.t.Fatalf("%s: %v", resp.Status, err)
	}
	return said
}

func spoof(r *http.Request) {
	for _, name := range []string{"X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
		"Forwarded", "X-Real-Ip", "Client-Cert", "Client_Cert", "Client-Cert-Chain", "client-cert_chain"} {
		r.Header[name] = []string{"evil"}
	}
}

// What a client says in the proxy's name does not arrive.
func TestHeadersAreTheProxysOwn(t *testing.T) {
	s := newStand(t, &config.HTTP{ClientCert: "chain", HSTS: config.Duration(time.Hour), HSTSSubdomains: true}, echo)
	r := s.request("GET", "https://a.test/x?y=1")
	spoof(r)
	resp := s.do(r)
	if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=3600; includeSubDomains" {
		t.Errorf("HSTS %q", got)
	}
	said := s.echoed(resp)
	_, port, _ := net.SplitHostPort(s.addr)
	for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.test", "X-Forwarded-Port": port, "host": "a.test"} {
		if said[name] != want {
			t.Errorf("%s: %q", name, said[name])
		}
	}
	for name, value := range said {
		if strings.Contains(value, "evil") {
			t.Errorf("%s: %q", name, value)
		}
	}
	if resp.ProtoMajor != 2 {
		t.Errorf("the client speaks %s", resp.Proto)
	}
}

func TestTrustedNetworksAreHeard(t *testing.T) {
	no := false
	s := newStand(t, &config.HTTP{ForwardedFrom: []string{"127.0.0.0/8"}, KeepHost: &no}, echo)
	r := s.request("GET", "https://a.test/")
	spoof(r)
	said := s.echoed(s.do(r))
	for name, want := range map[string]string{"X-Forwarded-For": "evil, 127.0.0.1", "X-Forwarded-Proto": "evil", "X-Forwarded-Prefix": "evil", "Client-Cert": "", "Client_cert": "", "Forwarded": ""} {
		if said[name] != want {
			t.Errorf("%s: %q", name, said[name])
		}
	}
	if !strings.HasPrefix(said["host"], "127.0.0.1:") {
		t.Errorf("host %q", said["host"])
	}
	if _, err := New(Options{HTTP: &config.HTTP{ForwardedFrom: []string{"everybody"}}}); err == nil {
		t.Error("no network was taken for one")
	}
}

// The certificate is what the handshake has verified. RFC 9440.
func TestClientCertificates(t *testing.T) {
	for how, want := range map[string][2]bool{"off": {}, "leaf": {true, false}, "chain": {true, true}} {
		s := newStand(t, &config.HTTP{ClientCert: how}, echo)
		client := &http.Client{Transport: s.transport(&tls.Config{RootCAs: pki().roots, Certificates: []tls.Certificate{pki().pair}})}
		defer client.CloseIdleConnections()
		resp, err := client.Get("https://a.test/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said := s.echoed(resp)
		for i, name := range []string{"Client-Cert", "Client-Cert-Chain"} {
			full := ":" + base64.StdEncoding.EncodeToString(pki().pair.Certificate[i]) + ":"
			if !want[i] {
				full = ""
			}
			if said[name] != full {
				t.Errorf("%s: %s is %.60q", how, name, said[name])
			}
		}
	}
}

// A connection for one name does not open what is behind another with other rules.
func TestMisdirected(t *testing.T) {
	s := newStand(t, nil, echo)
	for _, c := range []struct {
		sni, host string
		status    int
	}{
		{"a.test", "a.test", 200}, {"a.test", "B.test.", 200}, {"a.test", "b.test:443", 200}, {"a.test", "c.test", 421}, {"c.test", "a.test", 421}, {"a.test", "d.test", 421}, {"c.test", "c.test", 200},
	} {
		conn := s.dial(c.sni)
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", c.host)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s on the connection for %s: %v, %v", c.host, c.sni, resp, err)
		}
	}
	s.route.Allow = func(*http.Request, string) error { return errors.New("secret reason") }
	resp := s.do(s.request("GET", "https://a.test/"))
	page, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 403 || strings.Contains(string(page), "secret") || !strings.Contains(string(page), resp.Header.Get("X-Request-Id")) {
		t.Errorf("%s: %s", resp.Status, page)
	}
}

// Where two lengths disagree, or a chunk is not one, the service behind sees one request at most.
func TestSmuggling(t *testing.T) {
	var paths atomic.Int32
	s := newStand(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			paths.Add(1)
		}
		echo(w, r)
	})
	const hidden = "GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n"
	for name, c := range map[string]struct {
		head, body string
		status     int
	}{
		"both lengths":         {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 200},
		"two lengths":          {"Content-Length: 4\r\nContent-Length: 0\r\n", "xxxx", 400},
		"a signed length":      {"Content-Length: +4\r\n", "xxxx", 400},
		"an odd encoding":      {"Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", 501},
		"two encodings":        {"Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", 501},
		"a bad chunk":          {"Transfer-Encoding: chunked\r\n", "zz\r\n\r\n" + hidden, 400},
		"a chunk too large":    {"Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n", 400},
		"a blank in a name":    {"Content-Length : 4\r\n", "xxxx", 400},
		"h2c":                  {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", "", 200},
		"a header that is hop": {"Connection: close, X-Forwarded-For, X-Secret\r\nX-Secret: evil\r\n", "", 200},
	} {
		conn := s.dial("a.test")
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.test\r\n%s\r\n%s", c.head, c.body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v, %v", name, resp, err)
			continue
		}
		if c.status == 200 {
			said := s.echoed(resp)
			if said["Upgrade"] != "" || said["Http2-Settings"] != "" || said["X-Secret"] != "" || said["X-Forwarded-For"] == "" || said["Transfer-Encoding"] != "" {
				t.Errorf("%s: %v", name, said)
			}
		}
	}
	if n := paths.Load(); n != 0 {
		t.Errorf("%d hidden requests arrived", n)
	}
}

// Bytes pass both ways as they come, on WebSockets and in answers that take long; trailers too.
func TestStreams(t *testing.T) {
	release := make(chan struct{})
	s := newStand(t, nil, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/socket":
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			line, _ := rw.ReadString('\n')
			io.WriteString(conn, "heard "+line)
		case "/slow":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "first ")
			w.(http.Flusher).Flush()
			<-release
			io.WriteString(w, "second")
			w.Header().Set("X-Sum", "42")
		default:
			echo(w, r)
		}
	})
	conn := s.dial("a.test")
	io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v, %v", resp, err)
	}
	io.WriteString(conn, "hello\n")
	if line, err := in.ReadString('\n'); line != "heard hello\n" {
		t.Errorf("%q, %v", line, err)
	}

	slow := s.do(s.request("GET", "https://a.test/slow"))
	var first [6]byte
	if _, err := io.ReadFull(slow.Body, first[:]); err != nil || string(first[:]) != "first " {
		t.Errorf("%q, %v", first, err)
	}
	close(release)
	if rest, err := io.ReadAll(slow.Body); err != nil || string(rest) != "second" || slow.Trailer.Get("X-Sum") != "42" {
		t.Errorf("%q, %v, %v", rest, err, slow.Trailer)
	}

	r := s.request("POST", "https://a.test/")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("much")), -1
	r.Trailer = http.Header{"X-Sum": {"43"}, "Client-Cert": {"evil"}}
	if said := s.echoed(s.do(r)); said["body"] != "much" || said["trailer"] != "43" || said["Client-Cert"] != "" {
		t.Errorf("%v", said)
	}
}

// Another address is tried where that is safe, and only there.
func TestOtherAddresses(t *testing.T) {
	var broken, posts atomic.Int32
	breaks := func(w http.ResponseWriter, r *http.Request) {
		broken.Add(1)
		io.Copy(io.Discard, r.Body)
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
	}
	s := newStand(t, nil, breaks, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts.Add(1)
		}
		echo(w, r)
	})
	if resp := s.do(s.request("GET", "https://a.test/")); resp.StatusCode != 200 {
		t.Errorf("GET: %s", resp.Status)
	}
	post := s.request("POST", "https://a.test/")
	post.Body = io.NopCloser(strings.NewReader("once"))
	if resp := s.do(post); resp.StatusCode != 502 || posts.Load() != 0 {
		t.Errorf("POST: %s, %d arrived at the second", resp.Status, posts.Load())
	}
	// a socket that is closed: nothing was sent, so a POST goes on to the next
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	places := s.route.Places()
	begun := 0
	dead := placeAt(t, l.Addr().String())
	dead.Begin = func() func(error) { begun++; return func(error) { begun-- } }
	s.route.Places = func() []Place { return []Place{dead, places[1]} }
	post = s.request("POST", "https://a.test/")
	post.Body = io.NopCloser(strings.NewReader("twice"))
	if said := s.echoed(s.do(post)); said["body"] != "twice" || begun != 0 {
		t.Errorf("%v, %d begun", said, begun)
	}
	s.route.Places = func() []Place { return []Place{dead} }
	if resp := s.do(s.request("GET", "https://a.test/")); resp.StatusCode != 502 {
		t.Errorf("nobody there: %s", resp.Status)
	}
	s.route.Places = func() []Place { return nil }
	if resp := s.do(s.request("GET", "https://a.test/")); resp.StatusCode != 503 {
		t.Errorf("no address: %s", resp.Status)
	}
}

// A client that holds a body back is done with, and so is one that never ends its header.
func TestSlowClients(t *testing.T) {
	if programs.Brief() {
		t.Skip("it takes 10 s")
	}
	s := newStand(t, nil, echo)
	for _, start := range []string{"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc", "GET / HTTP/1.1\r\nHost: a.test\r\nX-"} {
		conn := s.dial("a.test")
		io.WriteString(conn, start)
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: %v", start, err)
		}
	}
}
