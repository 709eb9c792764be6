package scan

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"math"
	"net"
	"net/textproto"
	"strconv"
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

// leastHSTS is how long HSTS should hold at least.
const leastHSTS = 180 * 24 * time.Hour

func (x *audit) judgeHTTP(a *Answer, r *HTTPReport) {
	switch seconds, ok := maxAge(r.HSTS); {
	case r.HSTS == "":
		x.found("no-hsts", a, "the answer has no Strict-Transport-Security")
	case !ok:
		x.found("hsts-short", a, "Strict-Transport-Security has no max-age that browsers can read: "+r.HSTS)
	case time.Duration(seconds)*time.Second < leastHSTS:
		x.found("hsts-short", a, "Strict-Transport-Security: "+r.HSTS)
	}
	if strings.HasPrefix(strings.ToLower(r.Location), "http://") {
		x.found("redirect-plain", a, "Location: "+r.Location)
	}
	if r.Compressed {
		x.found("breach", a, "asked with Accept-Encoding, it answers with Content-Encoding")
	}
}

// maxAge reads the seconds of Strict-Transport-Security. RFC 6797 §6.1.1.
func maxAge(field string) (seconds uint32, ok bool) {
	for directive := range strings.SplitSeq(field, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 64)
		return uint32(min(n, math.MaxUint32)), err == nil
	}
	return 0, false
}

// plain asks for the first page without TLS, on the port where browsers look first. A
// redirect is looked at, and not followed.
func (x *audit) plain(ctx context.Context) {
	if x.o.Plain == nil || !x.speaksHTTP() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(x.p.Timeout, DefaultTimeout))
	defer cancel()
	x.count.Add(1)
	conn, err := x.o.Plain(ctx)
	if err != nil {
		kind := kindOfDial(err)
		if kind != Refused { // which is an answer
			x.lacks(plainHTTP)
		}
		x.set(plainHTTP, "no: "+string(kind))
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	var head []byte
	if _, err = conn.Write(x.request()); err == nil {
		head, err = readTo(conn, maxHead)
	}
	if len(head) == 0 || err != nil && kindOfRead(err) == TimedOut { // a part of a head may lack the field that leads on
		x.lacks(plainHTTP)
		x.set(plainHTTP, notAnswered)
		return
	}
	r := readHead(head)
	if r == nil {
		x.set(plainHTTP, "what answers there is not HTTP")
		return
	}
	x.judgePlain(r)
}

// plainHTTP is the name of the feature.
const plainHTTP = "HTTP without TLS"

// readTo reads the head of an answer, or n bytes, or what comes before an error.
func readTo(conn net.Conn, n int) (head []byte, err error) {
	room := make([]byte, 4096)
	for len(head) < n && !bytes.Contains(head, []byte("\r\n\r\n")) {
		got, err := conn.Read(room)
		if head = append(head, room[:got]...); err != nil {
			return head, err
		}
	}
	return head, nil
}

func (x *audit) judgePlain(r *HTTPReport) {
	evidence := "it answers " + r.Status
	if r.Location != "" {
		evidence += ", Location: " + r.Location
	}
	x.set(plainHTTP, evidence)
	switch {
	case strings.HasPrefix(strings.ToLower(r.Location), "https://"):
	case strings.HasPrefix(r.Status, "2"), strings.HasPrefix(r.Status, "3"):
		x.found("no-redirect", nil, evidence)
	}
}
