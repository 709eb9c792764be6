package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// explanations are what a client reads: nothing of what is behind.
var explanations = map[int]string{
	http.StatusBadRequest:         "The request cannot be read.",
	http.StatusForbidden:          "You may not use this service.",
	http.StatusRequestTimeout:     "The request came too slowly.",
	http.StatusMethodNotAllowed:   "This method is not served here.",
	http.StatusMisdirectedRequest: "This connection does not serve that host.",
	http.StatusBadGateway:         "The service did not answer as it should.",
	http.StatusServiceUnavailable: "The service cannot be reached at the moment.",
	http.StatusGatewayTimeout:     "The service took too long to answer.",
}

// failed answers a request that no service has.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	h.refuse(w, r, statusOf(err), err)
}

func statusOf(err error) int {
	var network net.Error
	switch {
	case errors.Is(err, errSlow):
		return http.StatusRequestTimeout
	case errors.Is(err, errClientBody):
		return http.StatusBadRequest
	case errors.Is(err, errNoPlace):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// refuse answers in place of a service, with a number by which the log can be searched.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, why error) {
	id := rand.Text()[:12]
	if h.Failed != nil {
		h.Failed(r, id, status, why)
	}
	header := w.Header()
	last := header.Get("Connection") == "close" // set where the connection is to end anyway
	clear(header)
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Request-Id", id)
	if h.hsts != "" && r.TLS != nil {
		header.Set("Strict-Transport-Security", h.hsts)
	}
	if last || status == http.StatusBadRequest || status == http.StatusMethodNotAllowed || status == http.StatusRequestTimeout {
		header.Set("Connection", "close")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "%d %s\n\n%s\nRequest: %s\n", status, http.StatusText(status), explanations[status], id)
}
