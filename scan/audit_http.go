package scan

import (
	"bufio"
	"bytes"
	"context"
	"net/textproto"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

const (
	// maxHead is how much of an answer is read: its head.
	maxHead = 32 << 10
	// patience is how long an application may take to answer.
	patience = 2 * time.Second
)

// http asks for the first page, and looks at the head of the answer. What is compressed
// stays so.
func (x *audit) http(ctx context.Context) {
	if !x.speaksHTTP() || len(x.spoken) == 0 {
		return
	}
	v := x.spoken[0]
	a := x.do(ctx, Probe{Name: "a request of HTTP", Hello: x.web(v, x.completable(v)), Until: Complete, Then: []Step{
		SendRecord{Type: wire.ContentApplicationData, Content: x.request()},
		Await{For: patience, Done: func(a *Answer) bool { b := a.Data(); return len(b) > maxHead || bytes.Contains(b, []byte("\r\n\r\n")) }},
	}})
	if a == nil {
		return
	}
	x.client(a)
	r := readHead(a.Data())
	if r == nil {
		return
	}
	x.mu.Lock()
	x.r.HTTP, x.r.Software = r, r.Server
	x.mu.Unlock()
	x.judgeHTTP(a, r)
}

// web is a hello of a client that speaks HTTP/1.1, where the server does.
func (x *audit) web(v wire.Version, suites []wire.CipherSuite) Hello {
	h := Offer(v, suites...)
	if v >= wire.TLS13 {
		h = x.offer13(suites)
	}
	if !h.Bare && x.speaksHTTP() {
		h.ALPN = []string{"http/1.1"}
	}
	return h
}

// readHead reads status and fields; nil for what is not HTTP.
func readHead(b []byte) *HTTPReport {
	in := textproto.NewReader(bufio.NewReader(bytes.NewReader(b[:min(len(b), maxHead)])))
	line, err := in.ReadLine()
	if err != nil || !strings.HasPrefix(line, "HTTP/") {
		return nil
	}
	fields, _ := in.ReadMIMEHeader() // what was read before an error counts
	_, status, _ := strings.Cut(line, " ")
	encoding := fields.Get("Content-Encoding")
	return &HTTPReport{Status: short(status), Server: short(fields.Get("Server")), Location: short(fields.Get("Location")),
		HSTS: short(fields.Get("Strict-Transport-Security")), AltSvc: short(fields.Get("Alt-Svc")),
		Compressed: encoding != "" && encoding != "identity"}
}

// short bounds what a server may say.
func short(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func (x *audit) judgeHTTP(a *Answer, r *HTTPReport) {
	if r.HSTS == "" {
		x.found("no-hsts", a, "the answer has no Strict-Transport-Security")
	}
	if strings.HasPrefix(strings.ToLower(r.Location), "http://") {
		x.found("redirect-plain", a, "Location: "+r.Location)
	}
	if r.Compressed {
		x.found("breach", a, "asked with Accept-Encoding, it answers with Content-Encoding")
	}
}
