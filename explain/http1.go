package explain

import (
	"bytes"
	"strconv"
	"strings"
)

// HTTP/1.1 as it is on the wire. RFC 9112.

// methods are those of requests by which HTTP is recognised. RFC 9110 §9, RFC 5789.
var httpMethods = []string{"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH "}

// isRequest reports that b begins with a request of HTTP/1.
func isRequest(b []byte) bool {
	line, _, ended := bytes.Cut(b, []byte("\n"))
	if !ended || !bytes.Contains(line, []byte(" HTTP/1.")) {
		return false
	}
	for _, m := range httpMethods {
		if bytes.HasPrefix(b, []byte(m)) {
			return true
		}
	}
	return false
}

// http1 reads messages of HTTP/1 one after the other.
type http1 struct {
	application
	b  []byte
	at int
	// of the message at hand
	length  int // of its content; -1 where that is not said
	chunked bool
	closes  bool // its content goes on to the end
}

// line takes the next line, its end included; ok is false where it is not whole.
func (h *http1) line() (text string, n int, ok bool) {
	i := bytes.IndexByte(h.b[h.at:], '\n')
	if i < 0 {
		return "", 0, false
	}
	return strings.TrimRight(string(h.b[h.at:h.at+i]), "\r"), i + 1, true
}

// rest takes what is left as one part.
func (h *http1) rest(name string) {
	if h.at < len(h.b) {
		h.add(stretch{offset: h.at, length: len(h.b) - h.at, name: name})
		h.at = len(h.b)
	}
}

// fields takes the field lines of a message and the empty line after them; ok is false
// where they are not whole.
func (h *http1) fields() (ok bool) {
	h.length, h.chunked = -1, false
	for {
		text, n, whole := h.line()
		if !whole {
			return false
		}
		if text == "" {
			h.add(stretch{offset: h.at, length: n, name: "empty line", meaning: "The header section ends here.", ref: "RFC 9112 §2.1"})
			h.at += n
			return true
		}
		name, value, _ := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		h.add(stretch{offset: h.at, length: n, name: strings.TrimSpace(name), value: value, ref: "RFC 9112 §5"})
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length":
			if v, err := strconv.Atoi(value); err == nil && v >= 0 {
				h.length = v
			}
		case "transfer-encoding":
			h.chunked = strings.HasSuffix(strings.ToLower(value), "chunked")
		}
		h.at += n
	}
}

// content takes the content of a message; ok is false where it goes on to the end.
func (h *http1) content(none bool) (ok bool) {
	switch {
	case none:
		return true
	case h.chunked:
		return h.chunks()
	case h.length < 0 && !h.closes, h.length == 0:
		return true
	case h.length < 0:
		h.rest("content")
		return false
	}
	n := min(h.length, len(h.b)-h.at)
	if n > 0 {
		h.add(stretch{offset: h.at, length: n, name: "content", ref: "RFC 9112 §6"})
	}
	h.at += n
	return n == h.length
}

// chunks takes content in chunks, and the trailers. RFC 9112 §7.1.
func (h *http1) chunks() (ok bool) {
	for {
		text, n, whole := h.line()
		digits, _, _ := strings.Cut(text, ";")
		size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 31)
		if !whole || err != nil {
			return false
		}
		h.add(stretch{offset: h.at, length: n, name: "chunk-size", value: strconv.FormatUint(size, 10), ref: "RFC 9112 §7.1"})
		h.at += n
		if size == 0 {
			return h.fields()
		}
		take := min(int(size), len(h.b)-h.at)
		if take > 0 {
			h.add(stretch{offset: h.at, length: take, name: "chunk-data"})
		}
		if h.at += take; take < int(size) {
			return false
		}
		if _, n, whole = h.line(); !whole || n > 2 {
			return false
		}
		h.add(stretch{offset: h.at, length: n, name: "end of chunk"})
		h.at += n
	}
}

// start takes the first line of a message.
func (h *http1) start(name, ref string) (text string, ok bool) {
	text, n, ok := h.line()
	if !ok {
		return "", false
	}
	h.say(h.at, text)
	h.add(stretch{offset: h.at, length: n, name: name, value: text, ref: ref})
	h.at += n
	return text, true
}

// readRequests reads a client's requests, and says which methods they have.
func readRequests(b []byte) (a *application, methods []string) {
	h := &http1{b: b}
	for isRequest(h.b[h.at:]) {
		text, _ := h.start("request-line", "RFC 9112 §3")
		method, _, _ := strings.Cut(text, " ")
		methods = append(methods, method)
		if !h.fields() || !h.content(false) || method == "CONNECT" {
			break
		}
	}
	h.rest("data")
	return &h.application, methods
}

// readResponses reads a server's responses to requests with those methods.
func readResponses(b []byte, methods []string) *application {
	h := &http1{b: b, closes: true}
	for bytes.HasPrefix(h.b[h.at:], []byte("HTTP/1.")) {
		text, ok := h.start("status-line", "RFC 9112 §4")
		if !ok || !h.fields() {
			break
		}
		_, status, _ := strings.Cut(text, " ")
		interim := strings.HasPrefix(status, "1")
		none := interim || strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
		if strings.HasPrefix(status, "101") {
			break
		}
		if !interim && len(methods) > 0 {
			none = none || methods[0] == "HEAD"
			methods = methods[1:]
		}
		if !h.content(none) {
			break
		}
	}
	h.rest("data")
	return &h.application
}
